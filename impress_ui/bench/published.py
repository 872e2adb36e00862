"""The published algorithms as published, written from their description: baselines for the benchmark and nothing else.

What IMPRESS's code (AAAAAAsuka/Impress, arXiv 2310.19248) and PhotoGuard's (MadryLab/photoguard, arXiv 2302.06588) do,
with what makes them slow left in: LPIPS built afresh for each picture, features and latents of fixed pictures computed
again at every step and inside autograd, weights that nobody trains left to require gradients, guidance between an
empty prompt and itself, numbers fetched from the device at every step. The checkpoint, LPIPS's network and float32 are
those of our own recipes, so that the algorithms differ and nothing else.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from impress_ui.methods.attacks.diffusion_attack import ddim_step
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.frozen import FrozenConv2d
from impress_ui.models.perceptual import PerceptualDistance
from impress_ui.settings import ProtectSettings, PurifySettings

GLAZE_NOISE = 0.05


def unfrozen(module: nn.Module) -> nn.Module:
    """A copy in the default memory format whose weights require gradients."""
    return _plain(module).requires_grad_(True)


def _plain(module: nn.Module) -> nn.Module:
    """A copy without what our own loading does to it."""
    module = copy.deepcopy(module).to(memory_format=torch.contiguous_format)
    for part in module.modules():
        if type(part) is FrozenConv2d:
            part.__class__ = nn.Conv2d
    return module


def _built_lpips(autoencoder: Autoencoder) -> nn.Module:
    """LPIPS made for this run; its linear heads keep their gradients, as they do when nobody freezes them."""
    network = PerceptualDistance(autoencoder.similarity_network("auto")).to(autoencoder.device)
    network.lpips.lins.requires_grad_(True)
    return network


def impress(x_adv: Tensor, settings: PurifySettings, autoencoder: Autoencoder, *, seed: int = 0) -> Iterator[Tensor]:
    """IMPRESS's purifier: mean((V(x) - x)^2) + alpha * max(LPIPS(x, x_adv) - delta, 0) by Adam under cosine annealing.

    Args:
        x_adv: one picture (1, 3, H, W) in [-1, 1]; the published code takes no more.
        settings: alpha, delta, steps, learning rate, epsilon and start noise are used.

    Yields:
        the picture after every step.
    """
    lpips = _built_lpips(autoencoder)
    vae = _plain(autoencoder.module)  # frozen, as published
    noise = torch.randn(x_adv.shape, generator=torch.Generator().manual_seed(seed)).to(x_adv)
    x = (x_adv + settings.start_noise * noise).requires_grad_()
    adam = torch.optim.Adam([x], lr=settings.learning_rate, eps=settings.adam_eps)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, settings.steps, eta_min=1e-5)
    for _ in range(settings.steps):
        made = vae.decode(vae.encode(x).latent_dist.mode()).sample
        consistency = nn.functional.mse_loss(made, x)
        similarity = (lpips(x, x_adv) - settings.delta).clamp(min=0).sum()
        loss = consistency + settings.alpha * similarity
        adam.zero_grad()
        loss.backward()
        adam.step()
        cosine.step()
        x.data.clamp_(-1, 1)
        _ = consistency.item(), similarity.item(), loss.item()  # what its progress bar shows
        yield x.detach()


def glaze(x: Tensor, target: Tensor, settings: ProtectSettings, autoencoder: Autoencoder) -> Iterator[Tensor]:
    """IMPRESS's re-implementation of GLAZE: the target is encoded anew at every step, and so are LPIPS's references.

    Args:
        x, target: one picture each, (1, 3, H, W) in [-1, 1].
    """
    lpips, vae = _built_lpips(autoencoder), unfrozen(autoencoder.module)
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)).to(x)
    delta = ((2 * noise - 1) * GLAZE_NOISE).requires_grad_()
    adam = torch.optim.Adam([delta], lr=settings.glaze_rate)
    for _ in range(settings.steps):
        seen = x + delta
        seen.data.clamp_(-1, 1)
        latent, goal = (vae.encode(picture).latent_dist.sample() for picture in (seen, target))
        distance = nn.functional.mse_loss(latent, goal)
        excess = (lpips(x, seen) - settings.perceptual_budget).clamp(min=0).sum()
        loss = distance + settings.perceptual_weight * excess
        adam.zero_grad()
        (delta.grad,) = torch.autograd.grad(loss, [delta])
        adam.step()
        _ = distance.item(), excess.item(), loss.item()
        yield (x + delta).detach().clamp(-1, 1)


def encoder_attack(x: Tensor, settings: ProtectSettings, autoencoder: Autoencoder) -> Iterator[Tensor]:
    """PhotoGuard's encoder attack towards the zero latent, with the weights as they are loaded.

    Args:
        x: one picture (1, 3, H, W) in [-1, 1].
    """
    vae, radius, size = unfrozen(autoencoder.module), settings.budget / 127.5, settings.step_size / 127.5
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)).to(x)
    adversarial = x + (2 * noise - 1) * radius
    for index in range(settings.steps):
        current = adversarial.detach().clone().requires_grad_()
        loss = vae.encode(current).latent_dist.mode().norm()
        (gradient,) = torch.autograd.grad(loss, [current])
        step = size - (size - size / 100) / settings.steps * index
        adversarial = adversarial - gradient.sign() * step
        adversarial = torch.minimum(torch.maximum(adversarial, x - radius), x + radius).clamp(-1, 1).detach()
        _ = loss.item()
        yield adversarial


class DiffusionAttack:
    """PhotoGuard's diffusion attack: its gradient, one repetition after another, each with one graph through all.

    Every repetition embeds the prompt twice, runs the denoiser on the pair of the two, and mixes the two predictions,
    though the prompt is empty. The edit is our attack's (image to image), with the same schedule and noises, so that
    both compute the same gradient.
    """

    def __init__(self, model: DiffusionModel, settings: ProtectSettings, target: Tensor, *, seed: int) -> None:
        self.model, self.settings, self.target = model, settings, target
        self.vae, self.unet = unfrozen(model.autoencoder.module), unfrozen(model.unet)
        self.text_encoder = unfrozen(model.text_encoders[0])
        self.generator = torch.Generator().manual_seed(seed)
        scheduler = model.scheduler("checkpoint")
        self.prediction, alphas = scheduler.config.prediction_type, scheduler.alphas_cumprod.to(target)
        steps, count = settings.attacked_steps, scheduler.config.num_train_timesteps
        self.times = [round(settings.attacked_strength * count * (steps - k) / steps) - 1 for k in range(steps)]
        levels = [*(alphas[time] for time in self.times), torch.ones_like(alphas[0])]
        self.moments = list(itertools.pairwise(levels))

    def gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(mean distance, its gradient with respect to the one picture x (1, 3, H, W)), over the repetitions."""
        each = [self._repetition(x) for _ in range(self.settings.repetitions)]
        return torch.stack([value for value, _ in each]).mean(), torch.stack([slope for _, slope in each]).mean(dim=0)

    def _repetition(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().clone().requires_grad_()
        autoencoder = self.model.autoencoder
        text = torch.cat([self._embedded(""), self._embedded(self.settings.attacked_prompt)]).detach()
        z = autoencoder.to_scaled(self.vae.encode(x).latent_dist.mode())
        now = self.moments[0][0]
        z = now.sqrt() * z + (1 - now).sqrt() * self._noise(z)
        for time, (before, after) in zip(self.times, self.moments, strict=True):
            plain, prompted = self.unet(torch.cat([z, z]), time, text).sample.chunk(2)
            output = plain + self.settings.attacked_guidance * (prompted - plain)
            z = ddim_step(z, output, before, after, self.prediction, self._noise(z))
        made = self.vae.decode(autoencoder.to_unscaled(z)).sample
        loss = (made - self.target).norm()
        (slope,) = torch.autograd.grad(loss, [x])
        _ = loss.item()
        return loss.detach(), slope

    def _embedded(self, prompt: str) -> Tensor:
        tokenizer = self.model.tokenizers[0]
        tokens = tokenizer(prompt, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt")
        return self.text_encoder(tokens.input_ids.to(self.model.device))[0]

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator).to(like)
