"""Through the hardened encoder: D(E'(x)), the picture as an encoder sees it that was trained against protections.

It is a measure of what that encoder sees rather than a way to a better picture (as an image purifier the idea is
"VAE-Trans" of Purify Once, Edit Freely); in an edit it stands in E's place itself (``EditSettings.hardened``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once
from impress_ui.methods.purifiers.round_trip import round_trip

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.models.autoencoder import Autoencoder
    from impress_ui.settings import PurifySettings


class Fields(Settings):
    """Its settings."""

    hardened_trips: int = knob(
        1,
        "How many times the picture goes through the hardened encoder and the decoder.",
        label="Passes",
        step=1,
        ge=1,
        le=10,
    )


def through_hardened(x: Tensor, times: int, autoencoder: Autoencoder) -> Tensor:
    """D(E'(x)), so many times over, of x (B, 3, H, W) in [-1, 1].

    Raises:
        UserError: the checkpoint is not the embedded one, which E' was trained for.
    """
    from impress_ui.models.hardened import harden

    return round_trip(x, times, harden(autoencoder))


def _ready(settings: PurifySettings, autoencoder: Autoencoder) -> None:
    from impress_ui.models.hardened import harden

    harden(autoencoder)


HARDENED = Purifier(
    "hardened",
    "Hardened encoder",
    Fields,
    at_once(lambda x, s, tools: through_hardened(x, s.hardened_trips, tools.autoencoder)),
    embedded_only=True,
    ready=_ready,
    choice="Hardened encoder's round trip",
)
