"""An upscaler for noisy upscaling: Real-ESRGAN's network (Wang et al., arXiv 2107.10833), from a file of one's own.

A folder is diffusers' upscaler instead (``upscaler_folder``).

The residual-in-residual dense blocks of ESRGAN (arXiv 1809.00219), with the names that Real-ESRGAN's files have. None
comes along: the published one is 33 MB. ``training/convert_upscaler.py`` makes a file of what a package carries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from impress_ui.errors import UserError
from impress_ui.models.checksums import check
from impress_ui.models.upscaler_folder import DiffusionUpscaler, diffusion_upscaler
from impress_ui.models.weight_files import path_of

FACTOR = 4
RESIDUAL = 0.2  # share of what a block adds
SLOPE = 0.2  # of the leaky ReLU


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 6):
            taken, given = width + (number - 1) * growth, width if number == 5 else growth
            setattr(self, f"conv{number}", nn.Conv2d(taken, given, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen = torch.cat([seen, F.leaky_relu(convolution(seen), SLOPE)], dim=1)
        return x + RESIDUAL * self.conv5(seen)


class Blocks(nn.Module):
    """Three dense blocks around a skip."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return x + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """Pictures (B, 3, H, W) in [0, 1] at four times their size; not clamped.

    Args:
        width: channels; 64 in the published one.
        growth: channels that each convolution of a dense block adds; 32.
        blocks: 23.
    """

    def __init__(self, width: int = 64, growth: int = 32, blocks: int = 23) -> None:
        super().__init__()
        self.conv_first = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*(Blocks(width, growth) for _ in range(blocks)))
        self.conv_body, self.conv_up1, self.conv_up2, self.conv_hr = (
            nn.Conv2d(width, width, 3, padding=1) for _ in range(4)
        )
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv_first(x)
        h = first + self.conv_body(self.body(first))
        for convolution in (self.conv_up1, self.conv_up2):
            h = F.leaky_relu(convolution(F.interpolate(h, scale_factor=2)), SLOPE)
        return self.conv_last(F.leaky_relu(self.conv_hr(h), SLOPE))


def network_of(weights: Mapping[str, Tensor]) -> RRDBNet | None:
    """A network as wide and deep as the weights, which it holds then; None where they are another network's."""
    numbers = [int(found[1]) for name in weights if (found := re.match(r"body\.(\d+)\.", name))]
    first, dense = weights.get("conv_first.weight"), weights.get("body.0.rdb1.conv1.weight")
    if not numbers or first is None or dense is None:
        return None
    with torch.device("meta"):
        network = RRDBNet(len(first), len(dense), max(numbers) + 1)
    expected = {name: value.shape for name, value in network.state_dict().items()}
    if {name: value.shape for name, value in weights.items()} != expected:
        return None
    network.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
    return network.requires_grad_(False).eval()


def upscaler(file: Path, device: str) -> RRDBNet | DiffusionUpscaler:
    """The frozen network of a file in safetensors, or of a folder of diffusers' upscaler, on a device.

    It is kept for as long as the file stays as it is.

    Raises:
        UserError: there is no such file, or it holds another network.
    """
    place = path_of(file)
    if place is None:
        raise UserError(f"There is no upscaler's file {str(file)[:100]}.")
    if place.is_dir():
        return diffusion_upscaler(place, device)
    return _at(place, place.stat().st_mtime_ns, device)


@lru_cache(maxsize=1)
def _at(file: Path, modified: int, device: str) -> RRDBNet:
    check(file)
    try:
        weights = load_file(file)
    except Exception:
        raise UserError(f"{file.name} cannot be read as an upscaler's weights in safetensors.") from None
    weights = weights if "conv_first.weight" in weights else {n.partition(".")[2]: v for n, v in weights.items()}
    network = network_of(weights)
    if network is None:
        raise UserError(
            f"{file.name} holds another network than Real-ESRGAN's for four times the size (RRDBNet); give "
            "RealESRGAN_x4plus in safetensors, or one of its kind."
        )
    network = network.to(device)
    return network.to(memory_format=torch.channels_last) if device == "cpu" else network
