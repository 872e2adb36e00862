"""The protections, as configurations of the loop."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from impress_ui.core.diffusion_attack import EditDistance
from impress_ui.core.diffusion_model import DiffusionModel
from impress_ui.core.errors import UserError
from impress_ui.core.images import LEVELS_PER_UNIT, quantise
from impress_ui.core.models import Autoencoder
from impress_ui.core.objectives import LatentDistance
from impress_ui.core.optimise import (
    Constraint,
    NormalisedStepper,
    Objective,
    ShouldStop,
    SignStepper,
    Step,
    Stepper,
    l2_ball,
    linf_ball,
    never,
    optimise,
    within_mask,
)
from impress_ui.settings import Norm, ProtectSettings

GREY = 0.0  # mid-grey in [-1, 1]
PUBLISHED_SIDE = 512  # pixels; the L2 radius is meant for pictures of this size
NO_TARGET = "The target 'image' needs a target picture: add one, or choose the zero or grey target."


def target_latent(x: Tensor, settings: ProtectSettings, autoencoder: Autoencoder, target: Tensor | None) -> Tensor:
    """The latent that the attack pushes towards (1 or B, C, h, w), for pictures x (B, 3, H, W)."""
    with torch.no_grad():
        if settings.target == "zero":
            return torch.zeros_like(autoencoder.encode(x[:1]))
        if settings.target == "grey":
            return autoencoder.encode(torch.full_like(x[:1], GREY))
        if target is None:
            raise UserError(NO_TARGET)
        return autoencoder.encode(target)


def target_picture(x: Tensor, settings: ProtectSettings, target: Tensor | None) -> Tensor:
    """The picture (1 or B, 3, H, W) that the diffusion attack pushes the edit towards; zero, as published, is grey."""
    if settings.target in ("zero", "grey"):
        return torch.full_like(x[:1], GREY)
    if target is None:
        raise UserError(NO_TARGET)
    return target


def protect(
    x: Tensor,
    settings: ProtectSettings,
    autoencoder: Autoencoder,
    *,
    model: DiffusionModel | None = None,
    seed: int = 0,
    mask: Tensor | None = None,
    target: Tensor | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """PhotoGuard's attacks (Salman et al., arXiv 2302.06588), one step at a time.

    Args:
        x: pictures (B, 3, H, W) in [-1, 1], on the autoencoder's device.
        model: the whole diffusion model, which the diffusion attack needs.
        seed: of the random start and of the sampler's noise; the result is a function of inputs, settings and seed.
        mask: (1 or B, 1, H, W), 1 where pixels may change; None for everywhere. An inpainting model repaints the
            rest in the attacked edit.
        target: picture of x's size for the target 'image'.

    Yields:
        ``Step``; the last one's ``result`` is rounded to 8 bits without leaving the budget.
    """
    ball, stepper, radius = _norm(x, settings)
    constraint = within_mask(ball, x, mask)
    start = x
    if settings.random_start and settings.norm == "linf":
        noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
        start = constraint(x + (2 * noise - 1) * radius)
    objective: Objective
    if settings.method == "photoguard-diffusion":
        if model is None:
            raise ValueError("the diffusion attack needs the model")
        goal = target_picture(x, settings, target)
        objective = EditDistance(model, settings, goal, seed=seed + 1, keep=mask)
    else:
        objective = LatentDistance(autoencoder, target_latent(x, settings, autoencoder, target))
    for step in optimise(start, objective, constraint, stepper, settings.steps, should_stop=should_stop):
        if step.result is not None:
            step.result = _rounded(step.result, x, settings.norm, radius)
        yield step


def _norm(x: Tensor, settings: ProtectSettings) -> tuple[Constraint, Stepper, float]:
    """(ball about x, stepper, radius in [-1, 1] units) of the settings' norm."""
    if settings.norm == "linf":
        radius = settings.budget / LEVELS_PER_UNIT
        return linf_ball(x, radius), SignStepper(settings.step_size / LEVELS_PER_UNIT), radius
    scale = math.sqrt(x[0].numel() / (3 * PUBLISHED_SIDE**2))
    return (
        l2_ball(x, settings.l2_radius * scale),
        NormalisedStepper(settings.l2_step * scale),
        settings.l2_radius * scale,
    )


def _rounded(result: Tensor, x: Tensor, norm: Norm, radius: float) -> Tensor:
    """The result in 8 bits without leaving the ball about x, which is 8-bit itself.

    A budget of whole levels outlives rounding; an L2 radius need not, so the change shrinks until it does.
    """
    if norm == "linf":
        return quantise(result)
    scale = torch.ones(len(x), 1, 1, 1, device=x.device)
    while True:
        rounded = quantise(x + (result - x) * scale)
        outside = (rounded - x).flatten(1).norm(dim=1).view(-1, 1, 1, 1) > radius
        if not outside.any():
            return rounded
        scale = torch.where(outside, 0.98 * scale - 1e-3, scale).clamp(min=0)
