"""Where the targeted protections push a picture: its latent, or what the model's edit makes of it."""

from __future__ import annotations

import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.glaze import Judge, farthest_style, style_targets
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import ShouldStop, never
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.settings import ClassifySettings, ProtectSettings

GREY = 0.0  # mid-grey in [-1, 1]
TILES = (4, 16, 64)  # pixels: structure at every scale that an encoder looks at
NO_TARGET = "The target 'image' needs a target picture: add one, or choose the zero, grey or pattern target."


def pattern(like: Tensor) -> Tensor:
    """A stark picture (1, 3, H, W) of checks within checks, in the place of Mist's MIST.png."""
    rows, columns = (torch.arange(side, device=like.device) for side in like.shape[-2:])
    parity = sum((rows[:, None] // tile + columns[None] // tile) for tile in TILES) % 2
    return (2.0 * parity - 1).to(like).expand(1, 3, -1, -1)


def target_picture(setup: Setup) -> Tensor:
    """The picture (1 or B, 3, H, W) that is aimed at; for an edit zero, as published, is grey.

    Raises:
        UserError: an uploaded picture was chosen, and there is none.
    """
    match setup.settings.target:
        case "zero" | "grey":
            return torch.full_like(setup.x[:1], GREY)
        case "pattern":
            return pattern(setup.x)
    if setup.target is None:
        raise UserError(NO_TARGET)
    return setup.target


def target_latent(setup: Setup) -> Tensor:
    """The unscaled latent (1 or B, C, h, w) that is aimed at; zero is zero."""
    with torch.no_grad():
        if setup.settings.target == "zero":
            return torch.zeros_like(setup.autoencoder.encode(setup.x[:1]))
        return setup.autoencoder.encode(target_picture(setup))


def repainted(
    x: Tensor, settings: ProtectSettings, model: DiffusionModel, *, seed: int, should_stop: ShouldStop = never
) -> Tensor:
    """GLAZE's and Nightshade's target: x in another style, or as another concept; x itself when stopped before.

    Raises:
        UserError: no concept was named.
    """
    images = to_images(x)
    if settings.method == "nightshade" and not settings.concept.strip():
        raise UserError("Nightshade needs a concept: say in words what the model should take the picture for.")
    named = settings.concept if settings.method == "nightshade" else settings.style
    wanted = named or farthest_style(images, _judge())
    made = style_targets(images, wanted, settings, model, seed=seed, should_stop=should_stop)
    return x if made is None else to_tensor(made, str(x.device))


def _judge() -> Judge:
    from impress_ui.measures.classifiers.clip import load_clip_classifier

    return load_clip_classifier(ClassifySettings())
