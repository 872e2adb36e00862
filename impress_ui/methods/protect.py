"""The protections, as configurations of the loop."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.adaptive import adaptive
from impress_ui.methods.attacks.ensemble import attack_of
from impress_ui.methods.attacks.glaze import PerceptualExcess
from impress_ui.methods.attacks.robust import robust
from impress_ui.methods.attacks.setup import Setup, StyleOf, Sum
from impress_ui.methods.optimise import (
    AdamStepper,
    Constraint,
    NormalisedStepper,
    Objective,
    ShouldStop,
    SignStepper,
    Step,
    Stepper,
    identity,
    l2_ball,
    linf_ball,
    never,
    optimise,
    pixel_range,
    within_mask,
)
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.methods.protections.protection import UNSEEN
from impress_ui.methods.views import Views
from impress_ui.methods.visibility import radius_of
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.perceptual import load_perceptual
from impress_ui.pictures.images import LEVELS_PER_UNIT, quantise
from impress_ui.settings import ProtectSettings

PUBLISHED_SIDE = 512  # pixels; the L2 radius is meant for pictures of this size


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
    style_of: StyleOf | None = None,
    others: Sequence[Autoencoder] = (),
    view_side: int = 0,
    radii: Tensor | None = None,
) -> Iterator[Step]:
    """Any of the protections in ``methods/protections``, by steps.

    Args:
        x: pictures (B, 3, H, W) in [-1, 1], on the autoencoder's device.
        model: the whole diffusion model, where ``needs_model`` says so.
        seed: of the random start, of times and noises; the result is a function of inputs, settings and seed.
        mask: (1 or B, 1, H, W), 1 where pixels may change; None for everywhere. An inpainting model repaints the
            rest in the attacked edit.
        target: picture of x's size for the target 'image'; for GLAZE and Nightshade, the pictures to resemble, which
            the model makes where there are none.
        style_of: names the style for GLAZE where the settings name none.
        others: autoencoders that an attack on the encoder is also made against, ``settings.also`` by name.
        view_side: attack what a model sees of pictures that are larger than this, in pixels; see ``methods/views.py``.
        radii: ``radii_of`` a larger picture, cut to these, where they are pieces of it.

    Yields:
        ``Step``; the last one's ``result`` is rounded to 8 bits without leaving the budget.

    Raises:
        UserError: a missing target, a model of the wrong kind, a large budget without a mask, or others that the
            method cannot be made against.
    """
    check_budget(settings, mask is not None)
    setup = Setup(x, settings, autoencoder, model, target, mask, seed, should_stop, style_of, tuple(others))
    bounds = bounds_of(x, settings, radii)
    constraint = within_mask(bounds.constraint, x, mask)
    start = constraint(bounds.start(x, seed)) if settings.random_start else x
    objective = Views(setup, view_side, objective_of) if view_side else objective_of(setup)
    for step in optimise(
        start, objective, constraint, bounds.stepper, settings.steps,
        render=_formed(x, settings, constraint), should_stop=should_stop,
    ):  # fmt: skip
        if step.result is not None:
            step.result = _rounded(step.result, x, bounds.l2_radius)
        yield step


def kept_within(result: Tensor, x: Tensor, settings: ProtectSettings, mask: Tensor | None = None) -> Tensor:
    """A result that was put together of several, in 8 bits, within the mask and the settings' bounds about x.

    Parts that were given a form each have none together, so the whole is given it again; what nothing changed stays.
    """
    bounds = bounds_of(x, settings)
    constraint = within_mask(bounds.constraint, x, mask)
    result = constraint(result)
    formed = torch.where((result != x).any(dim=1, keepdim=True), _formed(x, settings, constraint)(result), result)
    return _rounded(formed, x, bounds.l2_radius)


def _formed(x: Tensor, settings: ProtectSettings, constraint: Constraint) -> Constraint:
    """What makes pictures of the loop's variable: the method's form, and then the bounds, which hold whatever it is."""
    form = PROTECTIONS[settings.method].form
    if form is None:
        return identity
    shaped = form(x, settings)
    return lambda y: constraint(shaped(y))


def needs_model(settings: ProtectSettings, *, target: bool) -> bool:
    """Whether the whole diffusion model is needed; GLAZE and Nightshade can do without, with a target picture."""
    protection = PROTECTIONS[settings.method]
    return not protection.autoencoder_only and not (protection.repaints and target)


def objective_of(setup: Setup) -> Objective:
    """What a run minimises: the method's objective, made to outlast what the settings name; LPIPS where that bounds.

    Raises:
        UserError: the method cannot be made to outlast anything.
    """
    settings = setup.settings
    protection = PROTECTIONS[settings.method]
    if protection.in_turn and settings.robust_to:
        raise UserError(
            f"The protection {settings.method} trains its own model in turn with the picture's steps, and cannot be "
            "made to outlive anything besides; leave robust_to empty."
        )
    attack = attack_of(setup)
    # What a purifier is given has gone through them; a term against IMPRESS is of the picture itself.
    if settings.adaptive == "unrolled":
        attack = robust(adaptive(attack, setup), setup)
    else:
        attack = adaptive(robust(attack, setup), setup)
    if protection.ball != "lpips":
        return attack
    network = load_perceptual(setup.autoencoder.similarity_network("auto"), setup.autoencoder.device)
    budget, weight = settings.perceptual_budget, settings.perceptual_weight
    # Not inside those parts: the budget is the protected picture's, whatever is made of it.
    return Sum([attack, PerceptualExcess(network, setup.x, budget=budget, weight=weight)])


def _in_levels(settings: ProtectSettings) -> bool:
    """Whether the change is bounded in grey levels, by an L-infinity ball."""
    return PROTECTIONS[settings.method].ball == "norm" and settings.norm == "linf"


def check_budget(settings: ProtectSettings, masked: bool) -> None:
    """Refuse a budget that leaves nothing of a picture, unless it is a patch's, and smooth areas in an L2 ball.

    Raises:
        UserError: it needs a mask, or another norm.
    """
    bounded = _in_levels(settings)
    if PROTECTIONS[settings.method].ball == "norm" and not bounded and settings.smooth_share < 1:
        raise UserError(
            "Smooth areas can be spared within a budget in grey levels only: choose the norm linf, or leave "
            "smooth_share at 1."
        )
    if bounded and settings.budget > UNSEEN and not masked:
        raise UserError(
            f"A budget of {settings.budget} grey levels needs a mask, so that it is a patch; "
            f"without one at most {UNSEEN} are allowed."
        )


@dataclass(frozen=True)
class Bounds:
    """How far and by which steps the change may go, in [-1, 1] units.

    Attributes:
        l2_radius: to be kept when rounding, if the ball is one of the L2 norm.
        noise: half the width of the uniform random start, in all pixels or in each (B, 1, H, W).
    """

    constraint: Constraint
    stepper: Stepper
    l2_radius: float | None
    noise: float | Tensor

    def start(self, x: Tensor, seed: int) -> Tensor:
        """x with the random start's noise."""
        if not isinstance(self.noise, Tensor) and not self.noise:
            return x
        uniform = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
        return x + (2 * uniform - 1) * self.noise


def radii_of(x: Tensor, settings: ProtectSettings) -> Tensor | None:
    """The widths (B, 1, H, W) of an L-infinity ball about x (B, 3, H, W) that spares smooth areas, where one does."""
    spares = _in_levels(settings) and settings.budget and settings.smooth_share < 1
    return radius_of(x, settings.budget, settings.smooth_share) if spares else None


def bounds_of(x: Tensor, settings: ProtectSettings, radii: Tensor | None = None) -> Bounds:
    """The ball about x (B, 3, H, W), and the stepper that the method has in it; ``radii`` as in ``protect``."""
    protection = PROTECTIONS[settings.method]
    if protection.ball == "lpips":
        cap = settings.cap / LEVELS_PER_UNIT
        stepper = AdamStepper(settings.glaze_rate, floor=settings.glaze_rate)
        return Bounds(linf_ball(x, cap) if cap else pixel_range, stepper, None, settings.perceptual_budget)
    if settings.norm == "linf":
        radius: float | Tensor = settings.budget / LEVELS_PER_UNIT
        size: float | Tensor = settings.step_size / LEVELS_PER_UNIT
        widths = radii_of(x, settings) if radii is None else radii
        if widths is not None:
            radius, size = widths, size * widths / radius
        return Bounds(linf_ball(x, radius), SignStepper(size, decays=protection.decays), None, radius)
    scale = math.sqrt(x[0].numel() / (3 * PUBLISHED_SIDE**2))
    radius = settings.l2_radius * scale
    return Bounds(l2_ball(x, radius), NormalisedStepper(settings.l2_step * scale), radius, 0.0)


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
