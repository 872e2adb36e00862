"""One perturbation for many pictures: learnt over a set of them, added to others (Moosavi-Dezfooli et al., 1610.08401).

    *_, last = learn(pictures, settings, autoencoder, model=model)
    protected = apply(last.result, x)

It is a configuration of the loop whose variable is the perturbation and whose pictures are those of a set with it
added, a batch of them a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import Objective, ShouldStop, Step, Terms, identity, never, optimise, within_mask
from impress_ui.methods.protect import bounds_of, objective_of
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.methods.protections.protection import UNSEEN
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import LEVELS_PER_UNIT, open_picture, quantise, read_metadata, to_images, to_tensor
from impress_ui.settings import ProtectSettings

AT_ONCE = 4  # pictures in a step
KIND = "universal perturbation"
MIDDLE = 128  # the level that stands for no change in a stored perturbation


class _Batches:
    """The set, a batch a step: ``render`` adds the perturbation to the next batch, which is then judged."""

    def __init__(self, setup: Setup) -> None:
        self.batches = [setup.over(x) for x in setup.x.split(AT_ONCE)]
        self.objectives: list[Objective] = [objective_of(batch) for batch in self.batches]
        self.weights = self.objectives[0].weights
        self.turns = cycle(range(len(self.batches)))
        self.turn = 0
        self.perturbation = torch.zeros_like(setup.x[:1])

    def render(self, perturbation: Tensor) -> Tensor:
        self.turn = next(self.turns)
        self.perturbation = perturbation.detach()
        return (self.batches[self.turn].x + perturbation).clamp(-1, 1)

    def __call__(self, x: Tensor) -> Terms:
        # A batch may be smaller than the others: curves are of one length, so they are of the batch's mean.
        return {name: value.mean().view(1) for name, value in self.objectives[self.turn](x).items()}


def learn(
    pictures: Tensor,
    settings: ProtectSettings,
    autoencoder: Autoencoder,
    *,
    model: DiffusionModel | None = None,
    seed: int = 0,
    target: Tensor | None = None,
    others: Sequence[Autoencoder] = (),
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """Steps of learning a perturbation over pictures (N, 3, H, W) in [-1, 1]; losses are means over a batch.

    Yields:
        ``Step``, whose picture is the first of the batch with the perturbation; the last one's ``result`` is the
        perturbation itself, (1, 3, H, W), in whole grey levels within the budget.

    Raises:
        UserError: a method that has no budget in grey levels or forms its change, or a budget too large to go unseen.
    """
    if PROTECTIONS[settings.method].ball != "norm" or settings.norm != "linf":
        raise UserError("A universal perturbation needs a budget in grey levels: choose a method that has one, in L∞.")
    if settings.smooth_share < 1:
        raise UserError("A universal perturbation knows no smooth areas: leave smooth_share at 1.")
    if PROTECTIONS[settings.method].form is not None:
        raise UserError(
            f"A universal perturbation is added to any picture, and {settings.method} forms its change by the one that "
            "it protects: choose another method."
        )
    if settings.budget > UNSEEN:
        raise UserError(f"A universal perturbation covers the whole picture: its budget may be {UNSEEN} at most.")
    setup = Setup(pictures, settings, autoencoder, model, target, None, seed, should_stop, others=tuple(others))
    batches = _Batches(setup)
    origin = torch.zeros_like(pictures[:1])
    bounds = bounds_of(origin, settings)
    start = bounds.constraint(bounds.start(origin, seed)) if settings.random_start else origin
    for step in optimise(
        start, batches, bounds.constraint, bounds.stepper, settings.steps,
        render=batches.render, should_stop=should_stop,
    ):  # fmt: skip
        step.picture = step.picture[:1]
        if step.result is not None:
            step.result = (batches.perturbation * LEVELS_PER_UNIT).round() / LEVELS_PER_UNIT
        yield step


def apply(perturbation: Tensor, x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Pictures x (B, 3, H, W) in [-1, 1] with a perturbation (1, 3, h, w), in 8 bits.

    A larger picture has it repeated, a smaller one cut off: resizing would change the scale that it works at.
    """
    height, width = x.shape[-2:]
    repeats = -(-height // perturbation.shape[-2]), -(-width // perturbation.shape[-1])
    tiled = perturbation.repeat(1, 1, *repeats)[..., :height, :width]
    return quantise(within_mask(identity, x, mask)((x + tiled).clamp(-1, 1)))


def to_picture(perturbation: Tensor) -> Image.Image:
    """A perturbation as a picture about mid-grey, which ``from_file`` reads again without loss."""
    levels = perturbation * LEVELS_PER_UNIT + MIDDLE
    return to_images(levels / LEVELS_PER_UNIT - 1)[0]


def from_file(path: Path, device: str = "cpu") -> Tensor:
    """A perturbation (1, 3, h, w) that was saved as a PNG with its metadata.

    Raises:
        UserError: the file is something else.
    """
    picture = open_picture(path)
    if (read_metadata(path) or {}).get("kind") != KIND:
        raise UserError(f"{path.name} is no universal perturbation; make one with the command universal.")
    levels = (to_tensor(picture.image, device) + 1) * LEVELS_PER_UNIT
    return (levels.round() - MIDDLE) / LEVELS_PER_UNIT
