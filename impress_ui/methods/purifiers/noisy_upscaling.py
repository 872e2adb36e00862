"""Noisy upscaling (Hönig et al., arXiv 2406.12027): noise, an upscaler that was trained to take it off, and back.

Published with Stable Diffusion's upscaler, of which a folder can be named; measured here with a Real-ESRGAN network,
which was taught on noise, blur and JPEG.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from impress_ui.errors import UserError
from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.models.upscaler import RRDBNet
    from impress_ui.models.upscaler_folder import DiffusionUpscaler
    from impress_ui.settings import PurifySettings


class Fields(Settings):
    """Its settings."""

    upscaled_noise: float = knob(
        0.03,
        "Noisy upscaling: deviation of the Gaussian noise before it, in the [0, 1] pixel range.",
        label="Noise before upscaling",
        step=0.01,
        ge=0,
        le=0.5,
    )
    upscaler: str = knob(
        "",
        "Noisy upscaling: a Real-ESRGAN file in safetensors, such as RealESRGAN_x4plus, or the folder of Stable "
        "Diffusion's upscaler as diffusers saves it; none comes along.",
        label="Upscaler",
        max_length=1000,
        local=True,
    )


def network_of(file: str, device: str) -> RRDBNet | DiffusionUpscaler:
    """The upscaler of a file or a folder.

    Raises:
        UserError: none was named, or it holds no upscaler.
    """
    from impress_ui.models.upscaler import upscaler

    if not file.strip():
        raise UserError(
            "Noisy upscaling needs an upscaler: name a Real-ESRGAN file in safetensors, or a folder as diffusers saves "
            "it."
        )
    return upscaler(Path(file), device)


def noisy_upscaling(x: Tensor, std: float, file: str, seed: int) -> Tensor:
    """x (B, 3, H, W) in [-1, 1] with noise (of the [0, 1] range), upscaled and reduced again.

    Raises:
        UserError: no file was named, or it holds no upscaler.
    """
    import torch
    from torch.nn import functional as F

    from impress_ui.methods.purifiers.noise import gaussian_noise
    from impress_ui.models.upscaler_folder import DiffusionUpscaler

    network = network_of(file, str(x.device))
    draws = isinstance(network, DiffusionUpscaler)
    noisy = (gaussian_noise(x, std, seed) + 1) / 2 if std else (x + 1) / 2
    with torch.no_grad():
        one_by_one = enumerate(noisy.split(1))  # enlarged they are large
        parts = [network(picture, seed + place) if draws else network(picture) for place, picture in one_by_one]
        large = torch.cat(parts).clamp(0, 1)
    small = F.interpolate(large, size=x.shape[-2:], mode="bicubic", antialias=True)
    return small.clamp(0, 1) * 2 - 1


def _files(settings: PurifySettings) -> Sequence[Path]:
    place = Path(settings.upscaler).expanduser()
    return sorted(each for each in place.rglob("*") if each.is_file()) if place.is_dir() else [place]


NOISY_UPSCALING = Purifier(
    "noisy-upscaling",
    "Noisy upscaling",
    Fields,
    at_once(lambda x, s, tools: noisy_upscaling(x, s.upscaled_noise, s.upscaler, tools.seed)),
    own_file="upscaler",
    files=_files,
    ready=lambda s, autoencoder: network_of(s.upscaler, autoencoder.device),
    probe=lambda _: {},
    probe_side=32,
)
