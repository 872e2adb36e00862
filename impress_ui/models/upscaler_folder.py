"""Stable Diffusion's upscaler for noisy upscaling, from a folder of one's own as diffusers saves it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from impress_ui.errors import UserError
from impress_ui.models.weight_files import pickled, read_config, refusal_of_pickles, refuse_pointers

INDEX, CLASS = "model_index.json", "StableDiffusionUpscalePipeline"
PARTS = ("vae", "unet", "text_encoder")  # those with weights
# The noise level is the published one (arXiv 2406.12027): the picture counts as very noisy. The steps are diffusers'
# default; no prompt, for nobody says what is in the picture.
NOISE_LEVEL, STEPS = 320, 75
SIDES_IN = 8  # the denoiser halves a picture three times


class DiffusionUpscaler:
    """Pictures (1, 3, H, W) in [0, 1] at four times their size, drawn by a latent diffusion model from the picture.

    Args:
        pipeline: diffusers' StableDiffusionUpscalePipeline.
    """

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    @torch.no_grad()
    def __call__(self, picture: Tensor, seed: int = 0) -> Tensor:
        """The picture at four times its size, in [0, 1]; the same seed gives the same pixels."""
        height, width = picture.shape[-2:]
        filled = F.pad(picture, (0, -width % SIDES_IN, 0, -height % SIDES_IN), mode="replicate")
        most = self.pipeline.low_res_scheduler.config.num_train_timesteps - 1
        drawn = self.pipeline(
            prompt="", image=filled, num_inference_steps=STEPS, guidance_scale=1.0,
            noise_level=min(NOISE_LEVEL, self.pipeline.config.max_noise_level, most),
            generator=torch.Generator().manual_seed(seed), output_type="pt",
        ).images  # fmt: skip
        return drawn[..., : 4 * height, : 4 * width].to(picture)


def diffusion_upscaler(folder: Path, device: str) -> DiffusionUpscaler:
    """The upscaler of a folder, on a device; kept for as long as its weights stay as they are.

    Raises:
        UserError: the folder holds another model, or its weights are missing, pickled, or not fetched.
    """
    what = f"The upscaler {folder.name}"
    if not (folder / INDEX).is_file():
        if pickled(folder):
            raise UserError(refusal_of_pickles(folder.name, "it"))
        raise UserError(
            f"The folder {folder.name} holds no upscaler; it needs the {INDEX} of a {CLASS}, as diffusers saves it."
        )
    kind = str(read_config(folder / INDEX, what, INDEX).get("_class_name", "unknown"))[:60]
    if kind != CLASS:
        raise UserError(f"The folder {folder.name} holds a {kind}; an upscaler's folder is a {CLASS}.")
    files = []
    for part in PARTS:
        found = sorted((folder / part).glob("*.safetensors"))
        if not found and pickled(folder / part):
            raise UserError(refusal_of_pickles(folder.name, f"{part}/"))
        if not found:
            raise UserError(f"{what} has no weights in {part}/; copy it again.")
        refuse_pointers(folder / part, folder.name, part)
        files += found
    return _at(folder, max(file.stat().st_mtime_ns for file in files), device)


@lru_cache(maxsize=1)
def _at(folder: Path, modified: int, device: str) -> DiffusionUpscaler:
    from diffusers import StableDiffusionUpscalePipeline

    try:
        pipeline = StableDiffusionUpscalePipeline.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except Exception as error:  # diffusers raises many kinds
        short = " ".join(str(error).split())[:200]
        raise UserError(f"The upscaler {folder.name} cannot be loaded ({type(error).__name__}: {short}).") from error
    pipeline.set_progress_bar_config(disable=True)
    return DiffusionUpscaler(pipeline.to(device))
