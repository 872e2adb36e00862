"""The autoencoder's round trip: what IMPRESS must beat, for it costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.models.autoencoder import Autoencoder


class Fields(Settings):
    """Its settings."""

    round_trips: int = knob(
        1, "How many times the round-trip control passes the autoencoder.", label="Round trips", step=1, ge=1, le=10
    )


def round_trip(x: Tensor, times: int, autoencoder: Autoencoder) -> Tensor:
    """V(x), so many times over, of x (B, 3, H, W) in [-1, 1]."""
    import torch

    with torch.no_grad():
        for _ in range(times):
            x = autoencoder.reconstruct(x).clamp(-1, 1)
    return x


ROUND_TRIP = Purifier(
    "round-trip",
    "Autoencoder round trip",
    Fields,
    at_once(lambda x, s, tools: round_trip(x, s.round_trips, tools.autoencoder)),
    control=True,
)
