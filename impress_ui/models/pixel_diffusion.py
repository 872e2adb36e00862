"""A diffusion model on pixels (DDPM, Ho et al., arXiv 2006.11239), from a folder of one's own; none comes along.

``training/train_pixel_diffusion.py`` makes a small one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
from torch import Tensor, nn

from impress_ui.errors import UserError
from impress_ui.models.checksums import check
from impress_ui.models.pixel_folder import SCHEDULER, pixel_folder

AT_ONCE = {"cpu": 16, "cuda": 128}  # tiles of 64 pixels that the network is given together
TILE = 64
MOST_TIMES = 100_000
BETAS = (
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "rescale_betas_zero_snr",
)  # fmt: skip


@dataclass(frozen=True)
class PixelModel:
    """A frozen network on pictures (B, 3, side, side) in [-1, 1], and the schedule that it was trained under.

    Args:
        unet: called with noised pictures and a time, gives an object with ``sample``, as UNet2DModel does.
        schedule: a scheduler's config of diffusers, with betas and the prediction's type.
        side: of the pictures that it knows, in pixels.
    """

    unet: Any
    schedule: dict[str, Any]
    side: int

    def denoised(self, x: Tensor, noise: Tensor, strength: float, steps: int) -> Iterator[tuple[float, Tensor]]:
        """Noise pictures up to the time strength * T and take the noise off again, by DDIM (arXiv 2010.02502).

        Args:
            x, noise: (B, 3, side, side), x in [-1, 1].
            strength: share of the diffusion's time, above 0 and up to 1.
            steps: of the way back; fewer where there are not so many times.

        Yields:
            The share of the way back that is done, and the picture that the model sees in what is left of the noise;
            the last is the result, not clipped.
        """
        scheduler = DDIMScheduler.from_config(self.schedule, set_alpha_to_one=True)
        times = _times(scheduler, strength, steps)
        x = scheduler.add_noise(x, noise, times[:1])
        for number, time in enumerate(times):
            predicted = self._predicted(x, time)
            made = scheduler.step(predicted, time, x, eta=0.0)
            x = made.prev_sample
            last = number + 1 == len(times)
            yield (number + 1) / len(times), x if last else made.pred_original_sample

    @torch.no_grad()
    def _predicted(self, x: Tensor, time: Tensor) -> Tensor:
        together = AT_ONCE.get(x.device.type, AT_ONCE["cpu"]) * TILE**2 // self.side**2
        return torch.cat([self.unet(part, time.to(part.device)).sample for part in x.split(max(1, together))])


def _times(scheduler: DDIMScheduler, strength: float, steps: int) -> Tensor:
    """The times of the way back, falling, in equal strides that end without noise; sets the scheduler's stride.

    The scheduler takes a whole number of times off at every step, T // n of n steps over all of T: the largest stride
    of that form with which ``steps`` of them stay within strength * T.
    """
    whole = scheduler.config.num_train_timesteps
    steps = min(steps, max(1, math.floor(strength * whole + 1e-9)))
    scheduler.set_timesteps(min(whole, math.ceil(steps / strength - 1e-9)))
    stride = whole // scheduler.num_inference_steps
    return torch.arange(steps, 0, -1) * stride - 1


def pixel_model(folder: str, device: str) -> PixelModel:
    """The model of a folder, frozen, on a device; kept for as long as its files stay as they are.

    Raises:
        UserError: there is no such folder, or it holds no unconditional model of RGB pictures in safetensors.
    """
    found = pixel_folder(folder)
    schedule = _sampled(found.schedule or dict(DDPMScheduler().config), found.name)
    unet = _unet(found.weights, found.variant, found.modified, found.name, device)
    return PixelModel(unet, schedule, found.side)


def _sampled(schedule: dict[str, Any], name: str) -> dict[str, Any]:
    """A scheduler's config with its betas written out: DDPM knows more ways to make them than DDIM, which samples.

    Raises:
        UserError: the betas are not valid, or a step by them fails.
    """
    times = schedule.get("num_train_timesteps", 1000)
    try:
        if not isinstance(times, int) or not 1 <= times <= MOST_TIMES:
            raise ValueError(times)
        betas = DDPMScheduler(**{key: schedule[key] for key in BETAS if key in schedule}).betas
        if betas.shape != (times,) or not ((betas >= 0) & (betas <= 1)).all():
            raise ValueError(betas.shape)
        made = {**schedule, "trained_betas": betas.tolist(), "rescale_betas_zero_snr": False}
        tried, still = PixelModel(lambda x, _: SimpleNamespace(sample=x), made, 8), torch.zeros(1, 3, 8, 8)
        list(tried.denoised(still, still, 1, 1))
    except Exception:  # whatever a config may hold
        raise UserError(
            f"The {SCHEDULER} of the pixel diffusion model {name} has times, betas or other values that are not valid."
        ) from None
    return made


@lru_cache(maxsize=1)
def _unet(weights: Path, variant: str | None, modified: int, name: str, device: str) -> nn.Module:
    check(weights)
    # By the folder alone: of an index of shards, which may name pickles, nothing is read.
    unread = UserError(f"The weights of the pixel diffusion model {name} do not fit its config, or cannot be read.")
    if any(weights.parent.glob("*.index*.json")):
        raise unread
    try:
        unet, found = UNet2DModel.from_pretrained(
            weights.parent, variant=variant, use_safetensors=True, local_files_only=True, torch_dtype=torch.float32,
            output_loading_info=True,
        )  # fmt: skip
    except Exception:  # of three libraries, and of the disk
        raise unread from None
    if any(found[lack] for lack in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise unread
    unet = unet.requires_grad_(False).eval().to(device)
    return unet.to(memory_format=torch.channels_last) if device == "cpu" else unet
