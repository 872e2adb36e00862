"""The hardened encoder: what somebody who edits or imitates may use in place of the checkpoint's own.

``training/train_hardened.py`` trained it to read a protected picture as the embedded encoder reads the clean one. It
gives latents of the same space, so that the denoiser and the decoder go on as they are. What it has learnt is kept as
the difference to the embedded encoder's weights, in 8 bits with a scale for each output channel.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache

import torch
from safetensors.torch import load_file
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.models import checksums
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.paths import HARDENED

DECODER, SCALE = "decoder.", ".scale"
LEVELS = 127  # of a signed byte, on either side of zero


def difference(trained: Mapping[str, Tensor], embedded: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What an encoder has learnt beyond the embedded one: int8 by name, and each channel's step as ``<name>.scale``."""
    kept: dict[str, Tensor] = {}
    for name, value in trained.items():
        if name.startswith(DECODER):
            continue
        learnt = (value - embedded[name]).float().cpu()
        scale = learnt.abs().flatten(1).amax(dim=1) if learnt.dim() > 1 else learnt.abs().amax().view(1)
        scale = scale.clamp_min(1e-12) / LEVELS
        kept[name] = (learnt / _by_channel(scale, learnt)).round().to(torch.int8).contiguous()
        kept[name + SCALE] = scale
    return kept


def with_difference(embedded: Mapping[str, Tensor], kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The embedded autoencoder's weights with what ``difference`` kept added to its encoder's."""
    weights = dict(embedded)
    for name in (name for name in kept if not name.endswith(SCALE)):
        learnt = kept[name].float() * _by_channel(kept[name + SCALE], kept[name])
        weights[name] = embedded[name] + learnt.to(embedded[name])
    return weights


def _by_channel(scale: Tensor, like: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (like.dim() - 1))


def harden(autoencoder: Autoencoder) -> Autoencoder:
    """The same autoencoder with the hardened encoder; the one that is given stays as it is.

    Raises:
        UserError: the checkpoint is another than the embedded one, whose latents this encoder does not know.
    """
    if not autoencoder.embedded:
        raise UserError(
            f"The hardened encoder was trained for the embedded checkpoint; {autoencoder.name} has latents of its own."
        )
    return _hardened(autoencoder)


@lru_cache(maxsize=2)
def _hardened(autoencoder: Autoencoder) -> Autoencoder:
    checksums.check(HARDENED)
    module = copy.deepcopy(autoencoder.module)
    module.load_state_dict(with_difference(module.state_dict(), load_file(HARDENED)))
    return Autoencoder(module, f"{autoencoder.name}, hardened", autoencoder.device, autoencoder.own, embedded=True)
