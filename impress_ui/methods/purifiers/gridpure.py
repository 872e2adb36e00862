"""GrIDPure (Zhao et al., arXiv 2312.00084): SDEdit in overlapping tiles, a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, Tools

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.methods.optimise import Step
    from impress_ui.settings import PurifySettings


class Fields(Settings):
    """Its settings."""

    grid_rounds: int = knob(
        4,
        "How many times GrIDPure goes over the picture; 20 in the paper, whose model is not behind an autoencoder.",
        label="Grid rounds",
        step=1,
        ge=1,
        le=50,
    )
    grid_strength: float = knob(
        0.05,
        "How much of a tile each round gives up; one sampling step is taken for it.",
        label="Grid strength",
        step=0.05,
        ge=0.05,
        le=0.5,
    )
    grid_tile: int = knob(
        128, "Side of the tiles, in pixels; they overlap by half.", label="Grid tile", step=64, ge=64, le=512,
        multiple_of=64,
    )  # fmt: skip
    grid_blend: float = knob(
        0.1, "Share of a round's input in its result.", symbol="γ", label="Grid blend", step=0.05, ge=0, le=0.9
    )


def gridpure(x: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
    """GrIDPure (Zhao et al., arXiv 2312.00084), with the latent diffusion model at hand in place of one on pixels.

    Every round purifies overlapping tiles a little, and one made of the four corners, which the others cover once;
    it averages where they overlap, and blends the result with the round's input.
    """
    from impress_ui.methods.edit import edit, without_prompt
    from impress_ui.methods.optimise import Step
    from impress_ui.pictures.images import to_images, to_tensor

    model, rounds, blend = tools.whole_model(), settings.grid_rounds, settings.grid_blend
    how = without_prompt(settings.grid_strength, round(1 / settings.grid_strength))
    for index in range(rounds):
        tiles = cut(x, settings.grid_tile)
        images = [image for tile in tiles for image in to_images(tile)]
        for step in edit(images, how, model, seed=tools.seed + index):
            made = step.results
        assert made is not None
        pure = paste(to_tensor(made, str(x.device)).chunk(len(tiles)), x, settings.grid_tile)
        x = (1 - blend) * pure + blend * x
        stopped = index + 1 < rounds and tools.should_stop()
        done = index + 1 == rounds or stopped
        yield Step(index + 1, rounds, {}, x, x if done else None, stopped)
        if done:
            return


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


def pixels(settings: PurifySettings, size: tuple[int, int]) -> float:
    """The pixels of all tiles of a picture of (width, height)."""
    width, height = (min(side, settings.grid_tile) for side in size)
    return float(tile_count(size[1], size[0], settings.grid_tile) * width * height)


GRIDPURE = Purifier(
    "gridpure",
    "GrIDPure",
    Fields,
    gridpure,
    choice="GrIDPure, SDEdit in tiles",
    steps=lambda settings: settings.grid_rounds,
    pixels=pixels,
    probe=lambda _: {"grid_rounds": 1},
    generative=True,
)
