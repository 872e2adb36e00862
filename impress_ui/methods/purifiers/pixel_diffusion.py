"""A diffusion model on pixels: SDEdit or DiffPure in tiles, and GrIDPure's rounds of it.

Noise up to a time t*, taken off again by the model (SDEdit, Meng et al., arXiv 2108.01073; DiffPure, Nie et al., arXiv
2205.07460), in overlapping tiles and several gentle rounds (GrIDPure, Zhao et al., arXiv 2312.00084). Unlike ``sdedit``
and ``gridpure``, whose model paints latents, it never sees the autoencoder that a protection aims at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from impress_ui.errors import UserError
from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, Tools
from impress_ui.methods.purifiers.tiles import cut, enlarged_to, paste, tile_count

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.methods.optimise import Step
    from impress_ui.settings import PurifySettings

USUAL_SIDE = 64  # of a model that cannot be read, for estimates alone


class Fields(Settings):
    """Its settings."""

    pixel_strength: float = knob(
        0.1,
        "Pixel diffusion: share of the diffusion's time up to which a tile is noised before it is denoised again.",
        label="Pixel strength",
        symbol="t*",
        step=0.01,
        ge=0.01,
        le=1,
    )
    pixel_rounds: int = knob(
        1,
        "Pixel diffusion: how many times it goes over the picture; one is SDEdit in tiles, more are GrIDPure.",
        label="Pixel rounds",
        step=1,
        ge=1,
        le=50,
    )
    pixel_steps: int = knob(
        5, "Pixel diffusion: sampling steps with which a round's noise is taken off.", label="Pixel steps", step=1,
        ge=1, le=100,
    )  # fmt: skip
    pixel_blend: float = knob(
        0,
        "Pixel diffusion: share of a round's input in its result; 0.1 in GrIDPure.",
        label="Pixel blend",
        symbol="γ",
        step=0.05,
        ge=0,
        le=0.9,
    )
    pixel_model: str = knob(
        "",
        "Pixel diffusion: the folder of an unconditional UNet2DModel on RGB pixels, as diffusers saves it; none comes "
        "along.",
        label="Pixel model",
        max_length=1000,
        local=True,
    )


def pixel_diffusion(x: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
    """x (B, 3, H, W) in [-1, 1] noised and denoised in tiles, round after round; each picture has the same noise.

    Every tile has noise of its own, so that where tiles overlap their mean is surer than each of them.

    Raises:
        UserError: no folder was named, or it holds no such model.
    """
    import torch

    from impress_ui.methods.optimise import Step
    from impress_ui.models.pixel_diffusion import pixel_model

    model = pixel_model(settings.pixel_model, str(x.device))
    rounds, steps, blend = settings.pixel_rounds, settings.pixel_steps, settings.pixel_blend
    height, width, whole = x.shape[-2], x.shape[-1], rounds * steps
    for index in range(rounds):
        large = enlarged_to(x, model.side)
        tiles = cut(large, model.side)
        random = torch.Generator().manual_seed(tools.seed + index)
        noise = torch.randn((len(tiles), 1, *tiles[0].shape[1:]), generator=random).to(x.device)
        noise = noise.expand(-1, len(x), -1, -1, -1).flatten(0, 1)
        for share, seen in model.denoised(torch.cat(tiles), noise, settings.pixel_strength, steps):
            pure = paste(seen.chunk(len(tiles)), large, model.side)[..., :height, :width].clamp(-1, 1)
            made = (1 - blend) * pure + blend * x
            done = index + 1 == rounds and share == 1
            stopped = not done and tools.should_stop()
            result = made if done or stopped else None
            yield Step(index * steps + round(share * steps), whole, {}, made, result, stopped)
            if done or stopped:
                return
        x = made


def pixels(settings: PurifySettings, size: tuple[int, int]) -> float:
    """The pixels of all tiles of a picture of (width, height)."""
    from impress_ui.models.pixel_folder import pixel_folder

    try:
        side = pixel_folder(settings.pixel_model).side
    except UserError:  # told where it is run
        side = USUAL_SIDE
    return float(tile_count(max(side, size[1]), max(side, size[0]), side) * side**2)


def _ready(settings: PurifySettings, device: str) -> None:
    from impress_ui.models.pixel_diffusion import pixel_model

    pixel_model(settings.pixel_model, device)


def _files(settings: PurifySettings) -> Sequence[Path]:
    from impress_ui.models.pixel_folder import pixel_folder

    return pixel_folder(settings.pixel_model).files


PIXEL_DIFFUSION = Purifier(
    "pixel-diffusion",
    "Pixel diffusion",
    Fields,
    pixel_diffusion,
    choice="Diffusion on pixels, SDEdit and GrIDPure",
    own_file="pixel_model",
    files=_files,
    ready=lambda settings, autoencoder: _ready(settings, autoencoder.device),
    steps=lambda settings: settings.pixel_rounds * settings.pixel_steps,
    pixels=pixels,
    pace=lambda settings: f"pixel-diffusion {settings.pixel_model}",  # a model has its own
    probe=lambda _: {"pixel_rounds": 1, "pixel_steps": 1},
    probe_side=USUAL_SIDE,
)
