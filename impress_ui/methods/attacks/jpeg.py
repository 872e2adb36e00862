"""JPEG with a gradient: what baseline JPEG does to a picture's pixels, for attacks that are to outlive it.

Forward it is the real thing up to the rounding of colour conversions: the quantisation tables are Pillow's own for the
quality, chroma is halved and interpolated as libjpeg does by default. Backward the rounding has the slope of
round(c) + (c - round(c))^3 (Shin and Song, "JPEG-resistant adversarial images", 2017): a coefficient that is rounded
to zero from nearby gets nearly none, so that the attack does not spend its budget on what the file will not hold.
Where the coefficients themselves are what is moved, the slope is that of the identity instead (straight through): with
the cube's a coefficient would stay where it was rounded to.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

BLOCK = 8  # pixels of a side of what is transformed at once
# Y, Cb and Cr of R, G and B (JFIF), in levels; the chroma's zero is at 128.
TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


Rounding = Callable[[Tensor], Tensor]


def differentiable_jpeg(x: Tensor, quality: int, *, straight: bool = False) -> Tensor:
    """x (B, 3, H, W) in [-1, 1] as it comes back from a JPEG of the quality, 1 to 100, by Pillow's defaults (4:2:0).

    ``straight``: the gradient goes through the rounding as if there were none.
    """
    rounding = _straight if straight else _rounded
    height, width = x.shape[-2:]
    levels = (x + 1) * 127.5
    # Two blocks a side, since the chroma has half the pixels.
    padding = (0, -width % (2 * BLOCK), 0, -height % (2 * BLOCK))
    ycc = _mixed(functional.pad(levels, padding, mode="replicate"), TO_YCC)
    luma, chroma = ycc[:, :1] - 128, functional.avg_pool2d(ycc[:, 1:], 2)
    tables = [torch.tensor(table, device=x.device, dtype=x.dtype) for table in quantisation_tables(quality)]
    luma, chroma = _coded(luma, tables[0], rounding), _coded(chroma, tables[1], rounding)
    chroma = functional.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    levels = _mixed(torch.cat([luma + 128, chroma], dim=1), TO_RGB)
    return levels[..., :height, :width].clamp(0, 255) / 127.5 - 1


@functools.lru_cache(maxsize=128)
def quantisation_tables(quality: int) -> tuple[list[list[int]], list[list[int]]]:
    """The 8x8 tables for luma and chroma that Pillow writes into a file of the quality."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG", quality=quality)
    with Image.open(file) as written:
        found = written.quantization
    luma, chroma = (list(found[index]) for index in (0, 1))
    return tuple([table[row : row + BLOCK] for row in range(0, BLOCK**2, BLOCK)] for table in (luma, chroma))


def _mixed(x: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    return torch.einsum("ij,bjhw->bihw", torch.tensor(matrix, device=x.device, dtype=x.dtype), x)


def _coded(x: Tensor, table: Tensor, rounding: Rounding) -> Tensor:
    """Levels about zero (B, C, H, W) after the cosine transform of every block, quantisation and the way back."""
    batch, channels, height, width = x.shape
    cosine = _cosine().to(x)
    blocks = x.view(batch, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    coefficients = torch.einsum("ui,vj,bcyixj->bcyxuv", cosine, cosine, blocks)
    kept = rounding(coefficients / table) * table
    return torch.einsum("ui,vj,bcyxuv->bcyixj", cosine, cosine, kept).reshape(x.shape)


@functools.lru_cache(maxsize=1)
def _cosine() -> Tensor:
    """The orthonormal cosine transform (type II) of eight values, as a matrix."""
    frequency, place = torch.arange(BLOCK).view(-1, 1), torch.arange(BLOCK).view(1, -1)
    matrix = torch.cos((2 * place + 1) * frequency * math.pi / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix


def _rounded(c: Tensor) -> Tensor:
    whole = c.detach().round()
    sloped = (c - whole) ** 3
    return whole + sloped - sloped.detach()


def _straight(c: Tensor) -> Tensor:
    return c + (c.round() - c).detach()
