"""What the embedded denoiser is taught by: the denoising error, readers, means of subjects, rival captions."""

from __future__ import annotations

import random

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn
from torch.nn import functional as F

from training.captions import STYLE_PHRASES, SUBJECTS, UNNAMED
from training.paintings import Pictures

COARSE_CELLS, COARSE_WEIGHT = (4, 16), 5.0
RIVAL_SHARPNESS = 20.0


def new_scheduler(prediction: str) -> DDIMScheduler:
    """Stable Diffusion's noise schedule; DDIM, because it takes an eta and PhotoGuard's attack needs one."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction,
        timestep_spacing="leading",
    )


class Means:
    """The mean latents of every subject in every style: what a denoiser should see in noise alone.

    As the goal at the noisiest times they say in every step what single pictures say only on average.
    """

    def __init__(self, pictures: Pictures) -> None:
        rows: dict[tuple[str, str] | None, list[int]] = {None: list(range(len(pictures.subjects)))}
        for row, pair in enumerate(zip(pictures.subjects, pictures.styles, strict=True)):
            rows.setdefault(pair, []).append(row)
        self.of = {pair: pictures.latents[chosen].float().mean(0) for pair, chosen in rows.items()}

    def goals(self, pairs: list[tuple[str, str] | None], device: str) -> Tensor:
        """Means (N, 4, h, w) of (subject, style) pairs; None, where no caption is given, is the mean of all."""
        return torch.stack([self.of[pair] for pair in pairs]).to(device)


def rival_loss(told: Tensor, rival: Tensor) -> Tensor:
    """Small where the caption that was told explains a picture better than a rival, with another subject, does.

    Args:
        told, rival: (N,) errors of the same noisy pictures under the two captions.
    """
    return F.softplus(RIVAL_SHARPNESS * (told - rival)).mean() if len(told) else told.new_zeros(())


class Lesson:
    """One way to teach: the noise schedule and what is predicted."""

    def __init__(self, prediction: str, device: str) -> None:
        self.prediction, self.scheduler = prediction, new_scheduler(prediction)
        self.alphas = self.scheduler.alphas_cumprod.to(device)

    def noisy(self, z: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        a = self.alphas[times].view(-1, 1, 1, 1)
        return a.sqrt() * z + (1 - a).sqrt() * noise

    def loss(
        self, model: nn.Module, z: Tensor, wanted: Tensor, noise: Tensor, times: Tensor, tokens: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(squared error (B,) at three scales, the text's hidden states).

        The latents z are made noisy and ``wanted`` is to be inferred: z itself, or a mean of its kind.
        No time is weighted down: the noisiest ones decide on the subject.
        """
        a = self.alphas[times].view(-1, 1, 1, 1)
        out, text = model(self.noisy(z, noise, times), times, tokens)
        goal = noise if self.prediction == "epsilon" else a.sqrt() * noise - (1 - a).sqrt() * wanted
        error = out - goal
        # Coarse cells count again (Hoogeboom et al. 2023): there the subject explains most, and grain averages out.
        coarse = sum(F.avg_pool2d(error, side).square().mean(dim=(1, 2, 3)) for side in COARSE_CELLS)
        return error.square().mean(dim=(1, 2, 3)) + COARSE_WEIGHT * coarse, text

    @torch.no_grad()
    def clean_error(self, model: nn.Module, z: Tensor, tokens: Tensor, time: int) -> float:
        """Mean squared error of the clean latents that the model infers at one noise level, with fixed noise."""
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(time)).to(z)
        times = torch.full((len(z),), time, device=z.device)
        noisy, a = self.noisy(z, noise, times), self.alphas[time]
        out = torch.cat(
            [model(*part)[0] for part in zip(noisy.split(48), times.split(48), tokens.split(48), strict=True)]
        )
        clean = (
            (noisy - (1 - a).sqrt() * out) / a.sqrt()
            if self.prediction == "epsilon"
            else a.sqrt() * noisy - (1 - a).sqrt() * out
        )
        return ((clean - z) ** 2).mean().item()


class Reader(nn.Module):
    """Names subject and style from what the text became: its mean state, or what the UNet adds to the time.

    The denoising loss tells little about subjects, which matter only where there is much noise; without this lesson
    every subject was still the same one to the model when the styles had long been learnt.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.subjects, self.styles = [*SUBJECTS, UNNAMED], list(STYLE_PHRASES)
        self.subject, self.style = nn.Linear(width, len(self.subjects)), nn.Linear(width, len(self.styles))

    def loss(self, state: Tensor, subjects: list[str], styles: list[str]) -> Tensor:
        """Mean cross-entropy of both names for states (N, width)."""
        goals = [torch.tensor([known.index(name) for name in names], device=state.device)
                 for known, names in ((self.subjects, subjects), (self.styles, styles))]  # fmt: skip
        return F.cross_entropy(self.subject(state), goals[0]) + F.cross_entropy(self.style(state), goals[1])


def other_subject(subject: str, rng: random.Random) -> str:
    """A subject of ``SUBJECTS`` that is not the given one."""
    return rng.choice([name for name in SUBJECTS if name != subject])
