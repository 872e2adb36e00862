"""GrIDPure (Zhao et al., arXiv 2312.00084): SDEdit in overlapping tiles, a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, Tools
from impress_ui.methods.purifiers.tiles import cut, paste, tile_count

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
