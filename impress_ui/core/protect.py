"""The protections, as configurations of the loop."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from impress_ui.core.errors import UserError
from impress_ui.core.images import LEVELS_PER_UNIT, quantise
from impress_ui.core.models import Autoencoder
from impress_ui.core.objectives import LatentDistance
from impress_ui.core.optimise import ShouldStop, SignStepper, Step, linf_ball, never, optimise, within_mask
from impress_ui.settings import ProtectSettings

GREY = 0.0  # mid-grey in [-1, 1]


def target_latent(x: Tensor, settings: ProtectSettings, autoencoder: Autoencoder, target: Tensor | None) -> Tensor:
    """The latent that the attack pushes towards (1 or B, C, h, w), for pictures x (B, 3, H, W)."""
    with torch.no_grad():
        if settings.target == "zero":
            return torch.zeros_like(autoencoder.encode(x[:1]))
        if settings.target == "grey":
            return autoencoder.encode(torch.full_like(x[:1], GREY))
        if target is None:
            raise UserError("The target 'image' needs a target picture: add one, or choose the zero or grey target.")
        return autoencoder.encode(target)


def protect(
    x: Tensor,
    settings: ProtectSettings,
    autoencoder: Autoencoder,
    *,
    seed: int = 0,
    mask: Tensor | None = None,
    target: Tensor | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """PhotoGuard's encoder attack (Salman et al., arXiv 2302.06588), one step at a time.

    Args:
        x: pictures (B, 3, H, W) in [-1, 1], on the autoencoder's device.
        seed: of the random start; the result is a function of inputs, settings and seed.
        mask: (1 or B, 1, H, W), 1 where pixels may change; None for everywhere.
        target: picture of x's size for the target 'image'.

    Yields:
        ``Step``; the last one's ``result`` is rounded to 8 bits without leaving the budget.
    """
    radius = settings.budget / LEVELS_PER_UNIT
    constraint = within_mask(linf_ball(x, radius), x, mask)
    start = x
    if settings.random_start:
        noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
        start = constraint(x + (2 * noise - 1) * radius)
    objective = LatentDistance(autoencoder, target_latent(x, settings, autoencoder, target))
    stepper = SignStepper(settings.step_size / LEVELS_PER_UNIT)
    for step in optimise(start, objective, constraint, stepper, settings.steps, should_stop=should_stop):
        if step.result is not None:
            # x is 8-bit and the budget whole levels, so rounding cannot leave the ball; the mask keeps x itself.
            step.result = quantise(step.result)
        yield step
