"""The network of the learned purifier: a small U-Net that predicts what a protection added to a picture.

The idea is that of high-level guided denoising (Liao et al., arXiv 1712.02976) and of LightShed (USENIX Security 2025):
a network that saw pairs of pictures, as they were and protected, takes the difference off in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from impress_ui.errors import UserError
from impress_ui.models.checksums import check
from impress_ui.models.vgg_autoencoder import ResidualBlock
from impress_ui.models.weight_files import path_of

WIDTHS = (32, 64, 128)  # channels at full, half and quarter resolution
BLOCKS = (1, 2, 3)  # residual blocks a level on the way down; the way up has one fewer, at least one
LARGEST = 2 * 40 / 255  # the most that is taken off a pixel, in the [-1, 1] range: 40 grey levels


class ResidualUNet(nn.Module):
    """What is to be subtracted from pictures (B, 3, H, W) in [-1, 1] of any size, within ``LARGEST``.

    Without normalisation, so that a picture's result depends on nothing but the picture; the last layer starts at
    zero, so that a new network changes nothing.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS, blocks: Sequence[int] = BLOCKS) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(count)))
            for width, count in zip(widths, blocks, strict=True)
        )
        steps = list(pairwise(widths))
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.grow = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in steps)
        self.up = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width) for _ in range(max(1, count - 1))))
            for width, count in zip(widths[:-1], blocks[:-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], 3, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.multiple = 2 ** len(steps)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        bottom, right = -height % self.multiple, -width % self.multiple
        h = self.stem(F.pad(x, (0, right, 0, bottom), mode="replicate"))
        skipped = []
        for level, blocks in enumerate(self.down):
            h = blocks(h)
            if level < len(self.shrink):
                skipped.append(h)
                h = self.shrink[level](h)
        for level in reversed(range(len(self.up))):
            h = self.up[level](self.grow[level](h) + skipped[level])
        return LARGEST * torch.tanh(self.head(h)[..., :height, :width])


def save_residual_unet(network: nn.Module, file: Path) -> None:
    """Its weights in float16; the file appears whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    save_file({name: value.detach().half().cpu().contiguous() for name, value in network.state_dict().items()}, new)
    new.replace(file)


def load_residual_unet(file: Path) -> ResidualUNet:
    """The frozen network of a file that ``save_residual_unet`` wrote, in float32 on the CPU.

    Raises:
        UserError: there is no such file, or it holds other weights.
    """
    try:
        check(file)
        weights = load_file(file)
    except FileNotFoundError:
        raise UserError(f"There is no file of a purifier's weights {file.name}.") from None
    except Exception as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{file.name} cannot be read as a purifier's weights in safetensors.") from None
    network = ResidualUNet()
    expected = {name: value.shape for name, value in network.state_dict().items()}
    if {name: value.shape for name, value in weights.items()} != expected:
        raise UserError(f"{file.name} holds other weights than a learned purifier's.")
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network.requires_grad_(False).eval()


@lru_cache(maxsize=4)
def _at(file: Path, modified: int, device: str) -> ResidualUNet:
    network = load_residual_unet(file).to(device)
    return network.to(memory_format=torch.channels_last) if device == "cpu" else network


def learned_purifier(file: Path, device: str) -> ResidualUNet:
    """``load_residual_unet`` on a device, kept for as long as the file stays as it is.

    Raises:
        UserError: as there.
    """
    place = path_of(file)
    if place is None:
        raise UserError(f"There is no file of a purifier's weights {str(file)[:100]}.")
    return _at(place, place.stat().st_mtime_ns, device)
