"""PhotoGuard's diffusion attack (Salman et al., arXiv 2302.06588): an objective that runs the sampler.

Five things make it cheaper than the published code, with the same result: no guidance pass where there is no prompt,
the text embedded once, the picture encoded once for all repetitions, repetitions in batches, and weights frozen, of
whose convolutions no input is kept. The gradient is taken in one piece, which is faster, where the memory that is free
is good for that; otherwise one repetition and one stage at a time (each sampling step, the decoder), so that never more
than one stage's activations are in memory (``models/graphs.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.setup import behind_encoder
from impress_ui.methods.optimise import Terms
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.graphs import Passes, recompute
from impress_ui.settings import ProtectSettings

Stage = Callable[[Tensor], Tensor]
# Most pictures in one pass of the denoiser without gradient, and of one draw of noises.
LARGEST_BATCH = 16


def composed(stages: Sequence[Stage]) -> Stage:
    """The stages as one."""
    return lambda x: functools.reduce(lambda value, stage: stage(value), stages, x)


def chain(stages: Sequence[Stage], x: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
    """(value, gradient of its sum with respect to x) of stages applied in turn, one stage's graph at a time."""
    inputs = [x.detach()]
    with torch.no_grad():
        for stage in stages[:-1] if gradient else stages:
            inputs.append(stage(inputs[-1]))
    if not gradient:
        return inputs[-1], None
    value: Tensor | None = None
    slope: Tensor | None = None
    for stage, start in zip(reversed(stages), reversed(inputs), strict=True):
        with torch.enable_grad():
            start = start.requires_grad_()
            end = stage(start)
        if value is None:
            value, slope = end.detach(), torch.ones_like(end)
        (slope,) = torch.autograd.grad(end, start, slope)
    assert value is not None
    return value, slope


def ddim_step(sample: Tensor, output: Tensor, now: Tensor, then: Tensor, prediction: str, noise: Tensor) -> Tensor:
    """One step of DDIM with eta = 1 (Song et al., arXiv 2010.02502), differentiable.

    Args:
        sample, output: (N, C, h, w), the noisy latents and the model's output for them.
        now, then: cumulative alphas before and after the step.
        prediction: what the output is, 'epsilon' or 'v_prediction'.
        noise: (N, C, h, w), standard normal.
    """
    if prediction == "epsilon":
        clean, epsilon = (sample - (1 - now).sqrt() * output) / now.sqrt(), output
    else:
        clean = now.sqrt() * sample - (1 - now).sqrt() * output
        epsilon = now.sqrt() * output + (1 - now).sqrt() * sample
    variance = (1 - then) / (1 - now) * (1 - now / then)
    return then.sqrt() * clean + (1 - then - variance).clamp(min=0).sqrt() * epsilon + variance.sqrt() * noise


class EditDistance:
    """||edit(x) - target||_2, averaged over noises: how far the model's edit of x is from a target picture.

    With an ordinary checkpoint the edit is image to image; with an inpainting one (9 channels) the area that may
    not change is repainted, from pure noise as published. All pictures of a batch get the same noises.

    Args:
        settings: ``attacked_*`` and ``repetitions`` are used.
        target: (1 or B, 3, H, W) in [-1, 1].
        keep: (1 or B, 1, H, W), 1 where an inpainting model keeps the picture.
        passes: how gradients are taken; None chooses by the memory that is free at the first one.

    Raises:
        UserError: a prompt that is too long, an SDXL checkpoint, or an inpainting one without a mask.
    """

    def __init__(
        self,
        model: DiffusionModel,
        settings: ProtectSettings,
        target: Tensor,
        *,
        seed: int,
        keep: Tensor | None = None,
        passes: Passes | None = None,
    ) -> None:
        if model.family != "sd":
            raise UserError("The diffusion attack runs on Stable Diffusion 1.x and 2.x checkpoints, not on SDXL.")
        if model.inpainting and keep is None:
            raise UserError("With an inpainting checkpoint the diffusion attack needs a mask: paint what is kept.")
        model.check_prompt(settings.attacked_prompt)
        self.weights: Mapping[str, float] = {}
        self.model, self.settings, self.target, self.keep, self.passes = model, settings, target, keep, passes
        self.generator = torch.Generator().manual_seed(seed)
        scheduler = model.scheduler("checkpoint")
        self.prediction = scheduler.config.prediction_type
        alphas, count = scheduler.alphas_cumprod, scheduler.config.num_train_timesteps
        strength = 1.0 if model.inpainting else settings.attacked_strength
        steps = settings.attacked_steps
        times = [round(strength * count * (steps - k) / steps) - 1 for k in range(steps)]
        self.schedule = [
            (
                time,
                alphas[time].to(target),
                alphas[after].to(target) if after >= 0 else torch.ones_like(alphas[0]).to(target),
            )
            for time, after in zip(times, [*times[1:], -1], strict=True)
        ]
        # An empty prompt is the unconditional one: guidance would mix a prediction with itself.
        prompts = [settings.attacked_prompt] if not settings.attacked_prompt else [settings.attacked_prompt, ""]
        with torch.no_grad():
            self.texts = [model.embed(prompt) for prompt in prompts]

    def __call__(self, x: Tensor) -> Terms:
        return {"edit distance": behind_encoder(x, self._encode, lambda z, slope: self._judge(x, z, slope))}

    def _judge(self, x: Tensor, latent: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
        repetitions, drawn = self.settings.repetitions, max(1, LARGEST_BATCH // len(x))
        at_once, together, twice = drawn, False, False
        if gradient:
            if self.passes is None:
                denoisings = len(self.schedule) * len(self.texts)
                self.passes = Passes.chosen(self.model, x, repetitions, denoisings)
            at_once, together, twice = self.passes.at_once, self.passes.together, self.passes.recompute
        value = torch.zeros(len(x), device=x.device)
        slope = torch.zeros_like(latent) if gradient else None
        with recompute(self.model.unet, twice):
            for first in range(0, repetitions, drawn):
                noises = self._noises(latent, min(drawn, repetitions - first))
                for part in zip(*(noise.split(at_once) for noise in noises), strict=True):
                    stages, count = self._stages(x, latent, part), len(part[0])
                    if together:
                        stages = [composed(stages)]
                    distances, slopes = chain(stages, _repeat(latent, count), gradient)
                    value += distances.view(count, -1).sum(dim=0) / repetitions
                    if slope is not None and slopes is not None:
                        slope += slopes.view(count, *latent.shape).sum(dim=0) / repetitions
        return value, slope

    def _encode(self, x: Tensor) -> Tensor:
        seen = x * self.keep if self.model.inpainting and self.keep is not None else x
        return self.model.autoencoder.to_scaled(self.model.autoencoder.encode(seen))

    def _noises(self, latent: Tensor, count: int) -> list[Tensor]:
        """For the start and for each step, ``count`` noises (count, 1, C, h, w) that all pictures get."""
        shape = (count, 1, *latent.shape[1:])
        return [torch.randn(shape, generator=self.generator).to(latent) for _ in range(len(self.schedule) + 1)]

    def _stages(self, x: Tensor, latent: Tensor, drawn: Sequence[Tensor]) -> list[Stage]:
        """From as many repetitions of the scaled latents as noises were drawn to the distances (count * B,)."""
        batch, shape, count = len(x), latent.shape[1:], len(drawn[0])
        noises = [noise.expand(-1, batch, -1, -1, -1).flatten(0, 1) for noise in drawn]
        start = self.schedule[0][1]
        if self.model.inpainting:
            assert self.keep is not None
            edited = 1 - torch.nn.functional.interpolate(self.keep.to(latent), size=shape[-2:])
            edited = edited.expand(batch, -1, -1, -1).repeat(count, 1, 1, 1)
            # The kept picture's latent goes along beside the sample, for every step to see.
            stages: list[Stage] = [lambda z: torch.cat([noises[0], z], dim=1)]
            stages += [
                self._inpainting_step(*moment, noise, edited)
                for moment, noise in zip(self.schedule, noises[1:], strict=True)
            ]
        else:
            stages = [lambda z: start.sqrt() * z + (1 - start).sqrt() * noises[0]]
            stages += [self._step(*moment, noise) for moment, noise in zip(self.schedule, noises[1:], strict=True)]
        target = self.target.expand(batch, -1, -1, -1).repeat(count, 1, 1, 1)
        height, width, channels = *x.shape[-2:], shape[0]

        def distance(z: Tensor) -> Tensor:
            latents = self.model.autoencoder.to_unscaled(z[:, :channels])
            made = self.model.autoencoder.decode(latents)[..., :height, :width]
            return (made - target).flatten(1).norm(dim=1)

        return [*stages, distance]

    def _step(self, time: int, now: Tensor, then: Tensor, noise: Tensor) -> Stage:
        return lambda z: ddim_step(z, self._denoise(z, time), now, then, self.prediction, noise)

    def _inpainting_step(self, time: int, now: Tensor, then: Tensor, noise: Tensor, edited: Tensor) -> Stage:
        def step(both: Tensor) -> Tensor:
            sample, kept = both.chunk(2, dim=1)
            output = self._denoise(torch.cat([sample, edited, kept], dim=1), time)
            return torch.cat([ddim_step(sample, output, now, then, self.prediction, noise), kept], dim=1)

        return step

    def _denoise(self, z: Tensor, time: int) -> Tensor:
        unet = self.model.unet
        outputs = [
            unet(z.to(unet.dtype), time, text.expand(len(z), -1, -1).to(unet.dtype)).sample.float()
            for text in self.texts
        ]
        if len(outputs) == 1:
            return outputs[0]
        prompted, plain = outputs
        return plain + self.settings.attacked_guidance * (prompted - plain)


def _repeat(latent: Tensor, count: int) -> Tensor:
    return latent.repeat(count, 1, 1, 1)
