"""The diffusion classifier (Li et al., arXiv 2303.16203): the class whose prompt lets the denoiser err least.

It needs no classifier of its own, only a diffusion model that knows the classes; it is dear, so its cost is told
before it runs (``passes``), and classes are given up in stages, as in the published code.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.optimise import ShouldStop, never
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import ClassifySettings
from impress_ui.settings.classify import ErrorMean

# How many classes stay, and how many times were tried by then, stage by stage; as published, and for two cores.
QUICK_STAGES = ClassifySettings().stages
LARGEST_BATCH = 24


@dataclass(frozen=True)
class Judged:
    """A picture's score for each class, (classes,): minus its mean error (or the mean error's logarithm, where that
    mean is geometric), and 1,000 more for each stage survived.

    So the scores rank all classes, those that stayed longer first; they are no probabilities.
    """

    index: int
    count: int
    scores: Tensor


def passes(classes: int, stages: Sequence[tuple[int, int]]) -> int:
    """Denoiser passes that one picture costs."""
    total, tried, alive = 0, 0, classes
    for keep, times in stages:
        total += alive * max(0, times - tried)
        tried, alive = max(tried, times), min(keep, alive)
    return total


class DiffusionClassifier:
    """Ranks classes by the denoising error under each class's prompt, with the same noises for all.

    Args:
        prompts: the sentence of each class.
        stages: (classes that stay, times tried so far) in turn; times are spread evenly, as published.
        error_mean: how a class's errors at the times go together. The error falls some fiftyfold from one end of the
            times to the other, so that the published arithmetic mean hardly hears the small ones; the geometric one is
            the likelihood of Gaussian errors whose variance at each time is not known.

    Raises:
        UserError: fewer than two classes, an SDXL or inpainting checkpoint, or a prompt that is too long.
    """

    def __init__(
        self,
        model: DiffusionModel,
        classes: Sequence[str],
        prompts: Sequence[str],
        *,
        stages: Sequence[tuple[int, int]] = QUICK_STAGES,
        error_mean: ErrorMean = "geometric",
        seed: int = 0,
    ) -> None:
        if len(classes) < 2:
            raise UserError("A classifier needs at least two classes to choose from.")
        if model.inpainting:
            raise UserError(f"The checkpoint {model.name} can only inpaint, so it cannot tell classes apart.")
        for prompt in prompts:
            model.check_prompt(prompt)
        self.model, self.classes, self.stages, self.seed = model, tuple(classes), tuple(stages), seed
        self.error_mean = error_mean
        self.texts = torch.cat([model.embed(prompt) for prompt in prompts])
        scheduler = model.scheduler("checkpoint")
        self.alphas = scheduler.alphas_cumprod.to(model.device)
        self.prediction: str = scheduler.config.prediction_type

    @property
    def passes(self) -> int:
        """Denoiser passes that one picture costs."""
        return passes(len(self.classes), self.stages)

    @torch.no_grad()
    def seconds(self, image: Image.Image) -> float:
        """What one picture of this size will take, from a single batch of passes."""
        z = self._latents(image)
        noises = torch.randn((1, *z.shape[1:])).to(z)
        count = min(LARGEST_BATCH, self.passes)
        began = time.monotonic()
        self._errors(z, noises, [(0, 0)] * count, 1)
        return (time.monotonic() - began) / count * self.passes

    def judge(self, images: Sequence[Image.Image], *, should_stop: ShouldStop = never) -> Iterator[Judged]:
        """The scores of each picture in turn."""
        for index, image in enumerate(images):
            if index and should_stop():
                return
            yield Judged(index, len(images), self._scores(image))

    def scores(self, images: Sequence[Image.Image]) -> Tensor:
        """(N, classes) scores, higher is likelier."""
        if not images:
            return torch.zeros(0, len(self.classes))
        return torch.stack([judged.scores for judged in self.judge(images)])

    @torch.no_grad()
    def _scores(self, image: Image.Image) -> Tensor:
        z = self._latents(image)
        most = max(times for _, times in self.stages)
        errors = torch.full((len(self.classes), most), torch.nan)
        noises = torch.randn((most, *z.shape[1:]), generator=torch.Generator().manual_seed(self.seed)).to(z)
        order, alive = _spread(most), list(range(len(self.classes)))
        scores = torch.zeros(len(self.classes))
        for rank, (keep, tried) in enumerate(self.stages):
            new = [t for t in order[:tried] if torch.isnan(errors[alive[0], t])]
            pairs = [(c, t) for c in alive for t in new]
            for first in range(0, len(pairs), LARGEST_BATCH):
                part = pairs[first : first + LARGEST_BATCH]
                values = self._errors(z, noises, part, most)
                for (c, t), value in zip(part, values.tolist(), strict=True):
                    errors[c, t] = value
            seen = errors[alive]
            means = (seen if self.error_mean == "arithmetic" else seen.log()).nanmean(dim=1)
            scores[alive] = rank * 1e3 - means  # a class that stayed longer is above all that went
            alive = [alive[i] for i in means.argsort()[:keep].tolist()]
        return scores

    def _latents(self, image: Image.Image) -> Tensor:
        autoencoder = self.model.autoencoder
        return autoencoder.to_scaled(autoencoder.encode(to_tensor(image, self.model.device)))

    def _errors(self, z: Tensor, noises: Tensor, pairs: list[tuple[int, int]], most: int) -> Tensor:
        """Mean squared error (N,) of the noise predicted for (class, time number) pairs."""
        classes, numbers = (list(column) for column in zip(*pairs, strict=True))
        steps = len(self.alphas)
        times = torch.tensor([round((n + 0.5) * steps / most) for n in numbers], device=z.device).clamp(max=steps - 1)
        a, noise = self.alphas[times].view(-1, 1, 1, 1), noises[numbers]
        noisy = a.sqrt() * z + (1 - a).sqrt() * noise
        output = self.model.unet(noisy.to(self.model.dtype), times, self.texts[classes]).sample.float()
        if self.prediction == "v_prediction":
            output = a.sqrt() * output + (1 - a).sqrt() * noisy
        return (output - noise).square().mean(dim=(1, 2, 3))


def _spread(count: int) -> list[int]:
    """The numbers below ``count`` in an order whose every beginning is spread evenly (by the golden ratio)."""
    places = [number * 0.6180339887498949 % 1 for number in range(count)]
    return [sorted(places).index(place) for place in places]
