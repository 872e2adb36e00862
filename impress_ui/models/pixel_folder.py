"""The folder of a diffusion model on pixels, found and checked without torch: what the page asks about it.

Two layouts, as diffusers saves them: a DDPM pipeline's (``unet/`` and ``scheduler/``), and the UNet2DModel's own
folder, with a ``scheduler_config.json`` beside its ``config.json`` or none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from impress_ui.errors import UserError
from impress_ui.models.weight_files import path_of, pickled, read_config, refusal_of_pickles, refuse_pointers

CONFIG, SCHEDULER = "config.json", "scheduler_config.json"
WEIGHTS = "diffusion_pytorch_model"
CLASS = "UNet2DModel"
UNET_CHANNELS = (224, 448, 672, 896)  # of diffusers' UNet2DModel whose config names none
PREDICTIONS = ("epsilon", "v_prediction", "sample")
SIDES = (8, 1024)  # of its pictures, in pixels


@dataclass(frozen=True)
class PixelFolder:
    """A model on pixels, on disk and checked.

    Args:
        name: the folder's, for sentences.
        unet: the folder with the UNet's config and weights.
        side: of the pictures that it was trained on, in pixels: its ``sample_size``.
        variant: of the weights' file name, such as fp16; None for the plain one.
        schedule: the scheduler's config; empty where none comes along.
        scheduler: the file of that config.
    """

    name: str
    unet: Path
    side: int
    variant: str | None
    schedule: dict[str, Any]
    scheduler: Path | None = None

    @property
    def files(self) -> list[Path]:
        """The files that decide about its results."""
        return [self.weights, self.unet / CONFIG, *([self.scheduler] if self.scheduler else [])]

    @property
    def weights(self) -> Path:
        """The file of its weights."""
        middle = f".{self.variant}" if self.variant else ""
        return self.unet / f"{WEIGHTS}{middle}.safetensors"

    @property
    def modified(self) -> int:
        """Another number where its weights or its config were written anew."""
        return max(file.stat().st_mtime_ns for file in (self.weights, self.unet / CONFIG))


def pixel_folder(place: str) -> PixelFolder:
    """The checked model of a folder.

    Raises:
        UserError: there is no such folder, or it holds no unconditional model of RGB pictures in safetensors.
    """
    root = _folder(place)
    unet = root / "unet" if (root / "unet" / CONFIG).is_file() else root
    inside = "unet/" if unet != root else ""
    if not (unet / CONFIG).is_file():
        if pickled(root):
            raise UserError(refusal_of_pickles(root.name, "it"))
        raise UserError(
            f"The folder {root.name} holds no pixel diffusion model; it needs a unet/config.json as diffusers saves it."
        )
    config = read_config(unet / CONFIG, f"The pixel diffusion model {root.name}", f"{inside}{CONFIG}")
    side = _side(config, root.name)
    refuse_pointers(unet, root.name, unet.name)
    for variant in (None, "fp16"):
        found = PixelFolder(root.name, unet, side, variant, {})
        if found.weights.is_file():
            scheduler = next(filter(Path.is_file, (root / "scheduler" / SCHEDULER, root / SCHEDULER)), None)
            return replace(found, scheduler=scheduler, schedule=_schedule(scheduler, root.name) if scheduler else {})
    if pickled(unet):
        raise UserError(refusal_of_pickles(root.name, inside or "it"))
    raise UserError(f"The pixel diffusion model {root.name} has no {inside}{WEIGHTS}.safetensors; copy it again.")


def _folder(place: str) -> Path:
    if not place.strip():
        raise UserError(
            "Pixel diffusion needs a model: name the folder of a UNet2DModel on RGB pixels, as diffusers saves it."
        )
    root = path_of(place)
    if root is None or not root.is_dir():
        raise UserError(f"There is no folder {place[:100]} with a pixel diffusion model.")
    return root


def _side(config: dict[str, Any], name: str) -> int:
    """The model's ``sample_size``, of a UNet2DModel on RGB pictures without classes."""
    kind = str(config.get("_class_name", "unknown"))[:40]
    if kind != CLASS:
        raise UserError(f"The model in the folder {name} is of class {kind}; a pixel diffusion model is a {CLASS}.")
    channels = config.get("in_channels", 3), config.get("out_channels", 3)
    if channels != (3, 3):
        raise UserError(
            f"The pixel diffusion model {name} has {channels[0]} channels in and {channels[1]} out, not three each."
        )
    if config.get("num_class_embeds") is not None or config.get("class_embed_type") is not None:
        raise UserError(f"The pixel diffusion model {name} wants a class; give one that was trained without.")
    side = config.get("sample_size")
    if isinstance(side, list) and len(set(map(str, side))) == 1:
        side = side[0]
    if not isinstance(side, int) or not SIDES[0] <= side <= SIDES[1]:
        raise UserError(
            f"The config of the pixel diffusion model {name} names no square sample_size from {SIDES[0]} to {SIDES[1]}."
        )
    levels = config.get("block_out_channels", UNET_CHANNELS)
    multiple = 2 ** (len(levels) - 1) if isinstance(levels, list | tuple) and levels else 1
    if side % multiple:  # what was halved at each level would come back in another size
        raise UserError(
            f"The sample_size {side} of the pixel diffusion model {name} is no multiple of {multiple}, as it must be."
        )
    return side


def _schedule(file: Path, name: str) -> dict[str, Any]:
    """The scheduler's config."""
    schedule = read_config(file, f"The pixel diffusion model {name}", SCHEDULER)
    # Those on sigmas, such as score-based ones, have no betas: their times mean something else.
    if "beta_schedule" not in schedule and "trained_betas" not in schedule:
        kind = str(schedule.get("_class_name", "unknown"))[:40]
        raise UserError(f"The scheduler of the pixel diffusion model {name}, {kind}, has no betas.")
    predicted = schedule.get("prediction_type", PREDICTIONS[0])
    if predicted not in PREDICTIONS:
        raise UserError(
            f"The pixel diffusion model {name} predicts '{str(predicted)[:40]}'; known are {', '.join(PREDICTIONS)}."
        )
    return schedule
