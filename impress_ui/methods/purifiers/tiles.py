"""A picture as overlapping tiles and back, as GrIDPure (Zhao et al., arXiv 2312.00084) cuts it.

For the purifiers that run a diffusion model on tiles: ``gridpure`` and ``pixel-diffusion``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def cut(x: Tensor, side: int) -> list[Tensor]:
    """The tiles of x (B, 3, H, W): at most ``side`` square, overlapping by half, and the one of the four corners."""
    import torch

    height, width = min(side, x.shape[-2]), min(side, x.shape[-1])
    tiles = [x[..., top : top + height, left : left + width] for top, left in _places(x, side)]
    if len(tiles) == 1:
        return tiles
    half_height, half_width = height // 2, width // 2
    above, below = x[..., : height - half_height, :], x[..., x.shape[-2] - half_height :, :]
    corners = [
        torch.cat((part[..., : width - half_width], part[..., x.shape[-1] - half_width :]), dim=-1)
        for part in (above, below)
    ]
    return [*tiles, torch.cat(corners, dim=-2)]


def paste(tiles: tuple[Tensor, ...] | list[Tensor], like: Tensor, side: int) -> Tensor:
    """The mean of the tiles of ``cut`` where they overlap, of ``like``'s shape."""
    import torch

    total, count = torch.zeros_like(like), torch.zeros_like(like)
    height, width = tiles[0].shape[-2:]
    for tile, (top, left) in zip(tiles, _places(like, side), strict=False):
        total[..., top : top + height, left : left + width] += tile
        count[..., top : top + height, left : left + width] += 1
    if len(tiles) > 1:
        rows, columns = (height - height // 2, height // 2), (width - width // 2, width // 2)
        for vertical in (0, 1):
            for horizontal in (0, 1):
                place = (..., _end(vertical, rows[vertical]), _end(horizontal, columns[horizontal]))
                total[place] += tiles[-1][place]
                count[place] += 1
    return total / count


def tile_count(height: int, width: int, side: int) -> int:
    """How many tiles ``cut`` makes of a picture."""
    tiles = len(_starts(height, side)) * len(_starts(width, side))
    return tiles if tiles == 1 else tiles + 1


def _places(x: Tensor, side: int) -> list[tuple[int, int]]:
    """Upper left corners of the tiles."""
    return [(top, left) for top in _starts(x.shape[-2], side) for left in _starts(x.shape[-1], side)]


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    return [*range(0, length - side, side // 2), length - side]


def _end(last: int, length: int) -> slice:
    return slice(-length, None) if last else slice(0, length)


def enlarged_to(x: Tensor, side: int) -> Tensor:
    """x (B, 3, H, W) at least ``side`` high and wide: what is missing on the right and below is mirrored from it.

    A picture of any size will do, for the mirror is mirrored again; cut it off with ``[..., :H, :W]``.
    """
    for axis in (-2, -1):
        length = x.shape[axis]
        if length < side:
            x = x.index_select(axis, _mirrored(length, side).to(x.device))
    return x


def _mirrored(length: int, side: int) -> Tensor:
    """The indices 0, 1, ..., length - 1, length - 1, ..., 1, 0, 0, 1, ... as far as ``side``."""
    import torch

    index = torch.arange(side) % (2 * length)
    return torch.minimum(index, 2 * length - 1 - index)
