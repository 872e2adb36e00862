"""GLAZE (Shan et al., arXiv 2302.04222), as IMPRESS's authors re-implemented it: its two terms, and its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from impress_ui.art.painting import STYLES, in_words
from impress_ui.methods.edit import edit
from impress_ui.methods.objectives import excess
from impress_ui.methods.optimise import ShouldStop, Terms, never
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.perceptual import PerceptualDistance
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import EditSettings, ProtectSettings

# Scaling factor of the latents for which the published weight of 30 was chosen.
PUBLISHED_SCALING = 0.18215
TARGET_BATCH = 8
SAMPLE = 3  # pictures whose targets are made in every style to choose one


class Judge(Protocol):
    """Tells how much of each class a picture has, as ``ClipClassifier`` does."""

    classes: Sequence[str]

    def scores(self, images: Sequence[Image.Image]) -> Tensor: ...

    def features(self, images: Sequence[Image.Image]) -> Tensor: ...


class StyleDistance:
    """mean((E(x) - E(x_t))^2): how far the picture's latent is from its target's.

    Posterior means stand for the published code's fresh samples on both sides, which only add noise to the
    gradient. Latents are taken in the units of Stable Diffusion's, so that the weight of the LPIPS beside it means
    the same on every checkpoint. The target's latents are computed here, once.

    Args:
        target: the pictures in the target style (or of the target concept), (1 or B, 3, H, W) in [-1, 1].
    """

    def __init__(self, autoencoder: Autoencoder, target: Tensor) -> None:
        self.autoencoder = autoencoder
        self.unit = autoencoder.scaling_factor / PUBLISHED_SCALING
        self.weights: Mapping[str, float] = {}
        with torch.no_grad():
            self.goal = autoencoder.encode(target)

    def __call__(self, x: Tensor) -> Terms:
        latents = (self.autoencoder.encode(x) - self.goal) * self.unit
        return {"style distance": latents.square().mean(dim=(1, 2, 3))}


class PerceptualExcess:
    """weight * max(LPIPS(x, original) - p, 0), the soft budget of GLAZE and Nightshade.

    Args:
        original: pictures (B, 3, H, W) in [-1, 1], whose features are computed here, once.
    """

    def __init__(self, perceptual: PerceptualDistance, original: Tensor, *, budget: float, weight: float) -> None:
        self.perceptual, self.budget = perceptual, budget
        self.weights: Mapping[str, float] = {"perceptual": weight}
        with torch.no_grad():
            self.reference = perceptual.features(original)

    def __call__(self, x: Tensor) -> Terms:
        distance = self.perceptual.between(self.perceptual.features(x), self.reference)
        return {"perceptual": excess(distance, self.budget)}


def farthest_style(images: Sequence[Image.Image], judge: Judge) -> str:
    """The one of our painters' styles that the judge finds the least of in the pictures, on average: a quick choice.

    Not the one whose pictures lie farthest in latent space: that is hardly reached within the budget, and what a model
    then learns is still the artist's.
    """
    named = [index for index, name in enumerate(judge.classes) if name in STYLES]
    scores = judge.scores(images).clamp(min=1e-12).log().mean(dim=0)
    return judge.classes[min(named, key=lambda index: scores[index].item())]


def best_style(
    images: Sequence[Image.Image],
    judge: Judge,
    settings: ProtectSettings,
    model: DiffusionModel,
    *,
    seed: int = 0,
    should_stop: ShouldStop = never,
) -> str | None:
    """The one of our painters' styles that a budget takes the farthest; None when stopped.

    A budget moves a latent only so far, and image to image keeps more of some pictures than of others: an artist in
    red stays that artist in watercolour. So the targets are made, of the first few pictures, and the style is taken
    whose targets differ the most by the judge's embedding (one minus the cosine) for the way there in the latent.
    GLAZE chooses by distances of embeddings as well, but before the pictures are made, and among far more styles.
    """
    shown = list(images[:SAMPLE])
    works = judge.features(shown)
    gains: dict[str, float] = {}
    with torch.no_grad():
        start = model.autoencoder.encode(to_tensor(shown, model.device))
        for style in STYLES:
            made = style_targets(shown, style, settings, model, seed=seed, should_stop=should_stop)
            if made is None:
                return None
            way = model.autoencoder.encode(to_tensor(made, model.device)) - start
            change = 1 - (works * judge.features(made)).sum(dim=1).mean().item()
            gains[style] = change / way.square().mean().sqrt().item()
    return max(gains, key=lambda style: gains[style])


def style_targets(
    images: Sequence[Image.Image],
    style: str,
    settings: ProtectSettings,
    model: DiffusionModel,
    *,
    seed: int = 0,
    should_stop: ShouldStop = never,
) -> list[Image.Image] | None:
    """The pictures in a style, by image to image (strength and guidance from the settings); None when stopped.

    Args:
        images: RGB pictures of one size.
        style: in words, as a prompt.
    """
    wanted = EditSettings(
        prompt=in_words(style) if style in STYLES else style,
        strength=settings.style_strength,
        guidance=settings.style_guidance,
    )
    made: list[Image.Image] = []
    for first in range(0, len(images), TARGET_BATCH):
        batch = list(images[first : first + TARGET_BATCH])
        *_, last = edit(batch, wanted, model, seed=seed, should_stop=should_stop)
        if last.stopped or last.results is None:
            return None
        made += last.results
    return made
