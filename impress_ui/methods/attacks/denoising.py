"""Protections that raise or lower the denoiser's error, with or without its own gradient.

AdvDM (Liang et al., arXiv 2302.04578) and Mist (Liang and Wu, arXiv 2305.12683) follow the gradient of the error;
SDS (Xue et al., arXiv 2311.12832) leaves the denoiser out of it, as score distillation does (arXiv 2209.14988).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from impress_ui.methods.attacks.diffusion_attack import LARGEST_BATCH
from impress_ui.methods.attacks.setup import Setup, behind_encoder
from impress_ui.methods.optimise import Terms
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.graphs import fitting, recompute

# Latents of a 512-pixel picture under Stable Diffusion: Mist's rate is meant for a sum over so many.
PUBLISHED_LATENTS = 4 * 64 * 64


class DenoisingError:
    """mean (eps_theta(z_t, t, c) - eps)^2 with z_t = sqrt(a_t) z + sqrt(1 - a_t) eps, and z the scaled latent of x.

    Averaged over ``repetitions`` times and noises, new ones at every call; all pictures of a batch get the same. A
    checkpoint that predicts v is judged by its error in v, as it was trained.

    Args:
        weight: below 0 the error is raised.
        distilled: the gradient with respect to z is (eps_theta - eps) / size instead of the error's own: as in score
            distillation the denoiser is only run forward.
    """

    name = "denoising error"

    def __init__(self, setup: Setup, *, weight: float, distilled: bool = False) -> None:
        self.model: DiffusionModel = setup.denoising_model
        self.repetitions, self.distilled = setup.settings.repetitions, distilled
        self.weights: Mapping[str, float] = {self.name: weight}
        self.generator = torch.Generator().manual_seed(setup.seed + 1)
        scheduler = self.model.scheduler("checkpoint")
        self.alphas: Tensor = scheduler.alphas_cumprod
        self.prediction: str = scheduler.config.prediction_type
        self.text = self.model.embed(setup.settings.attacked_prompt)

    def __call__(self, x: Tensor) -> Terms:
        autoencoder = self.model.autoencoder
        return {self.name: behind_encoder(x, lambda y: autoencoder.to_scaled(autoencoder.encode(y)), self._judge)}

    def _judge(self, latent: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
        batch, each = len(latent), max(1, LARGEST_BATCH // len(latent))
        value = torch.zeros(batch, device=latent.device)
        slope = torch.zeros_like(latent) if gradient else None
        at_once, twice = each, False
        if gradient and not self.distilled:
            most = fitting(self.model, latent)
            at_once, twice = min(each, max(1, most)), most < 1
        with recompute(self.model.unet, twice):
            for first in range(0, self.repetitions, each):
                count = min(each, self.repetitions - first)
                times = torch.randint(len(self.alphas), (count,), generator=self.generator)
                noises = torch.randn((count, 1, *latent.shape[1:]), generator=self.generator).to(latent)
                for some, noise in zip(times.split(at_once), noises.split(at_once), strict=True):
                    errors, slopes = self._errors(
                        latent.repeat(len(some), 1, 1, 1),
                        some.repeat_interleave(batch).to(latent.device),
                        noise.expand(-1, batch, -1, -1, -1).flatten(0, 1),
                        gradient,
                    )
                    value += errors.view(len(some), batch).sum(dim=0) / self.repetitions
                    if slope is not None and slopes is not None:
                        slope += slopes.view(len(some), *latent.shape).sum(dim=0) / self.repetitions
        return value, slope

    def _errors(self, latent: Tensor, times: Tensor, noise: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
        """(errors (N,), gradient of their sum with respect to the latents or what stands for it)."""
        a = self.alphas.to(latent)[times].view(-1, 1, 1, 1)
        with torch.set_grad_enabled(gradient and not self.distilled):
            latent = latent.detach().requires_grad_(gradient and not self.distilled)
            noisy = a.sqrt() * latent + (1 - a).sqrt() * noise
            output = self._denoise(noisy, times)
            goal = noise if self.prediction == "epsilon" else a.sqrt() * noise - (1 - a).sqrt() * latent
            errors = (output - goal).square().mean(dim=(1, 2, 3))
        if not gradient:
            return errors, None
        if not self.distilled:
            (slope,) = torch.autograd.grad(errors.sum(), latent)
            return errors.detach(), slope
        epsilon = output if self.prediction == "epsilon" else a.sqrt() * output + (1 - a).sqrt() * noisy
        return errors, (epsilon - noise) / latent[0].numel()

    def _denoise(self, noisy: Tensor, times: Tensor) -> Tensor:
        dtype = self.model.dtype
        text = self.text.expand(len(noisy), -1, -1)
        return self.model.unet(noisy.to(dtype), times, text.to(dtype)).sample.float()


class Texture:
    """mean (z - z_target)^2 of the scaled latents: Mist's textural objective.

    Args:
        target: unscaled latent (1 or B, C, h, w).
    """

    def __init__(self, autoencoder: Autoencoder, target: Tensor) -> None:
        self.autoencoder, self.goal = autoencoder, autoencoder.to_scaled(target)
        self.weights: Mapping[str, float] = {}

    def __call__(self, x: Tensor) -> Terms:
        latent = self.autoencoder.to_scaled(self.autoencoder.encode(x))
        return {"texture": (latent - self.goal).square().mean(dim=(1, 2, 3))}
