"""Where the targeted protections push a picture: its latent, or what the model's edit makes of it."""

from __future__ import annotations

import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.glaze import style_targets
from impress_ui.methods.attacks.setup import Setup
from impress_ui.pictures.images import to_images, to_tensor

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


def in_another_style(setup: Setup) -> Tensor:
    """GLAZE's target (1 or B, 3, H, W): the given pictures, or x repainted in the style that is named or chosen.

    Raises:
        UserError: neither a style nor anybody who chooses one.
    """
    if setup.target is not None:
        return setup.target
    style = setup.settings.style
    if not style and setup.style_of is None:
        raise UserError("GLAZE needs a style: name one in words.")
    return _repainted(setup, style or setup.style_of(to_images(setup.x)))


def of_another_concept(setup: Setup) -> Tensor:
    """Nightshade's target (1 or B, 3, H, W): the given pictures, or what the model paints of x as the concept.

    Raises:
        UserError: no concept was named.
    """
    if setup.target is not None:
        return setup.target
    if not setup.settings.concept.strip():
        raise UserError("Nightshade needs a concept: say in words what the model should take the picture for.")
    return _repainted(setup, setup.settings.concept)


def _repainted(setup: Setup, words: str) -> Tensor:
    """x by image to image in those words; x itself when stopped before."""
    made = style_targets(
        to_images(setup.x), words, setup.settings, setup.whole_model, seed=setup.seed, should_stop=setup.should_stop
    )
    return setup.x if made is None else to_tensor(made, str(setup.x.device))
