"""The protections, as configurations of the loop."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from impress_ui.core.diffusion_attack import EditDistance
from impress_ui.core.diffusion_model import DiffusionModel
from impress_ui.core.errors import UserError
from impress_ui.core.glaze import GlazeLoss
from impress_ui.core.images import LEVELS_PER_UNIT, quantise
from impress_ui.core.models import Autoencoder
from impress_ui.core.objectives import LatentDistance
from impress_ui.core.optimise import (
    AdamStepper,
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
    pixel_range,
    within_mask,
)
from impress_ui.core.perceptual import load_perceptual
from impress_ui.settings import ProtectSettings

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
    """PhotoGuard's attacks (Salman et al., arXiv 2302.06588) and GLAZE (Shan et al., arXiv 2302.04222), by steps.

    Args:
        x: pictures (B, 3, H, W) in [-1, 1], on the autoencoder's device.
        model: the whole diffusion model, which the diffusion attack needs.
        seed: of the random start and of the sampler's noise; the result is a function of inputs, settings and seed.
        mask: (1 or B, 1, H, W), 1 where pixels may change; None for everywhere. An inpainting model repaints the
            rest in the attacked edit.
        target: picture of x's size for the target 'image'; for GLAZE, the pictures in the target style.

    Yields:
        ``Step``; the last one's ``result`` is rounded to 8 bits without leaving the budget.
    """
    ball, stepper, radius, noise = _geometry(x, settings)
    constraint = within_mask(ball, x, mask)
    start = x
    if settings.random_start and noise:
        uniform = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
        start = constraint(x + (2 * uniform - 1) * noise)
    objective = _objective(x, settings, autoencoder, model, target, mask, seed)
    for step in optimise(start, objective, constraint, stepper, settings.steps, should_stop=should_stop):
        if step.result is not None:
            step.result = _rounded(step.result, x, radius)
        yield step


def _objective(
    x: Tensor,
    settings: ProtectSettings,
    autoencoder: Autoencoder,
    model: DiffusionModel | None,
    target: Tensor | None,
    mask: Tensor | None,
    seed: int,
) -> Objective:
    match settings.method:
        case "photoguard-diffusion":
            if model is None:
                raise ValueError("the diffusion attack needs the model")
            return EditDistance(model, settings, target_picture(x, settings, target), seed=seed + 1, keep=mask)
        case "glaze":
            if target is None:
                raise ValueError("GLAZE needs the pictures in the target style")
            network = load_perceptual(autoencoder.similarity_network("auto"), autoencoder.device)
            return GlazeLoss(
                autoencoder, network, x, target, budget=settings.perceptual_budget, weight=settings.perceptual_weight
            )
    return LatentDistance(autoencoder, target_latent(x, settings, autoencoder, target))


def _geometry(x: Tensor, settings: ProtectSettings) -> tuple[Constraint, Stepper, float | None, float]:
    """(constraint, stepper, L2 radius to keep when rounding, size of the uniform start) in [-1, 1] units."""
    if settings.method == "glaze":
        cap = settings.cap / LEVELS_PER_UNIT
        stepper = AdamStepper(settings.glaze_rate, floor=settings.glaze_rate)
        return linf_ball(x, cap) if cap else pixel_range, stepper, None, settings.perceptual_budget
    if settings.norm == "linf":
        radius = settings.budget / LEVELS_PER_UNIT
        return linf_ball(x, radius), SignStepper(settings.step_size / LEVELS_PER_UNIT), None, radius
    scale = math.sqrt(x[0].numel() / (3 * PUBLISHED_SIDE**2))
    radius = settings.l2_radius * scale
    return l2_ball(x, radius), NormalisedStepper(settings.l2_step * scale), radius, 0.0


def _rounded(result: Tensor, x: Tensor, radius: float | None) -> Tensor:
    """The result in 8 bits without leaving the L2 ball about x, if there is one; x is 8-bit itself.

    A budget of whole levels outlives rounding; an L2 radius need not, so the change shrinks until it does.
    """
    if radius is None:
        return quantise(result)
    scale = torch.ones(len(x), 1, 1, 1, device=x.device)
    while True:
        rounded = quantise(x + (result - x) * scale)
        outside = (rounded - x).flatten(1).norm(dim=1).view(-1, 1, 1, 1) > radius
        if not outside.any():
            return rounded
        scale = torch.where(outside, 0.98 * scale - 1e-3, scale).clamp(min=0)
