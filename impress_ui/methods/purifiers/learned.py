"""A purifier that was learnt from pairs: a small network takes off what a protection added, in one pass.

As high-level guided denoising (Liao et al., arXiv 1712.02976) and LightShed (USENIX Security 2025) do. It looks at the
picture alone, so it needs no gradient, and no model of what it was protected against. How it learns:
``methods/learning.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.settings import PurifySettings


class Fields(Settings):
    """Its settings."""

    learned_passes: int = knob(
        1,
        "How many times the learned purifier goes over the picture; a second pass takes a little more off a large "
        "budget, and harms at a small one.",
        label="Passes",
        step=1,
        ge=1,
        le=5,
    )
    learned_weights: str = knob(
        "",
        "A file of weights that the command train-purifier made of one's own pairs; empty for those that come along.",
        label="Own weights",
        max_length=1000,
        local=True,
    )


def learned(x: Tensor, passes: int, weights: str = "") -> Tensor:
    """x (B, 3, H, W) in [-1, 1] without what the network takes for a protection.

    Raises:
        UserError: ``weights`` names no file of a learned purifier.
    """
    import torch

    from impress_ui.models.residual_unet import learned_purifier
    from impress_ui.paths import PURIFIER

    network = learned_purifier(Path(weights) if weights else PURIFIER, str(x.device))
    with torch.no_grad():
        for _ in range(passes):
            x = (x - network(x)).clamp(-1, 1)
    return x


def _ready(settings: PurifySettings, device: str) -> None:
    from impress_ui.models.residual_unet import learned_purifier

    if settings.learned_weights:
        learned_purifier(Path(settings.learned_weights), device)


LEARNED = Purifier(
    "learned",
    "Learned",
    Fields,
    at_once(lambda x, s, _: learned(x, s.learned_passes, s.learned_weights)),
    choice="Learned, from pairs",
    files=lambda s: [s.learned_weights] if s.learned_weights else [],
    learned=lambda s: not s.learned_weights,
    ready=lambda s, autoencoder: _ready(s, autoencoder.device),
    control=True,
)
