"""IMPRESS (Cao et al., arXiv 2310.19248) as a configuration of the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from impress_ui.methods.filters import jpeg, non_local_means, unsharp_mask
from impress_ui.methods.objectives import ImpressLoss
from impress_ui.methods.optimise import (
    AdamStepper,
    Objective,
    Step,
    identity,
    linf_ball,
    optimise,
    pixel_range,
    within_mask,
)
from impress_ui.methods.purifier import Tools
from impress_ui.methods.terms import OrthogonalProjection, consistency_term, similarity_term
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.perceptual import load_perceptual
from impress_ui.pictures.images import LEVELS_PER_UNIT
from impress_ui.settings import PurifySettings


def impress(x_adv: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
    """Make the picture agree with its reconstruction while it stays close to the protected one."""
    autoencoder, mask = tools.autoencoder, tools.mask
    allowed = linf_ball(x_adv, settings.trust_radius / LEVELS_PER_UNIT) if settings.trust_radius else pixel_range
    allowed = within_mask(allowed, x_adv, mask)
    start = x_adv if settings.start == "protected" else jpeg(x_adv, settings.start_quality)
    if settings.start_noise:
        # As published, the noisy start is not clamped; only the steps after it are.
        start = start + settings.start_noise * _normal(x_adv, tools.seed)
    start = within_mask(identity, x_adv, mask)(start)
    objective = objective_of(x_adv, settings, autoencoder)
    stepper = AdamStepper(settings.learning_rate, eps=settings.adam_eps)
    variable, constraint, render = start, allowed, identity
    if settings.variable == "latent":
        with torch.no_grad():
            variable = autoencoder.to_scaled(autoencoder.encode(start))  # unit deviation, as Adam likes it
        constraint, render = identity, _decoded(autoencoder, x_adv, mask)
    for step in optimise(
        variable, objective, constraint, stepper, settings.steps,
        render=render, keep_best=settings.keep_best, patience=settings.patience, should_stop=tools.should_stop,
    ):  # fmt: skip
        if step.result is not None:
            step.result = allowed(_finished(allowed(step.result), settings))
        yield step


def objective_of(x_adv: Tensor, settings: PurifySettings, autoencoder: Autoencoder) -> Objective:
    """The loss with the terms that the settings name, behind the projection where they ask for it."""
    perceptual = load_perceptual(autoencoder.similarity_network(settings.similarity_network), autoencoder.device)
    loss = ImpressLoss(
        autoencoder,
        perceptual,
        x_adv,
        alpha=settings.alpha,
        delta=settings.delta,
        consistency=settings.consistency_weight,
        fidelity=settings.fidelity_weight,
        smoothness=settings.smoothness,
        consistency_term=consistency_term(settings.consistency_term, autoencoder, perceptual),
        similarity_term=similarity_term(settings.similarity_term, x_adv),
    )
    return OrthogonalProjection(loss) if settings.optimiser == "projection" else loss


def _finished(x: Tensor, settings: PurifySettings) -> Tensor:
    """The optimised picture after its last touches.

    What the decoder draws is smoother than a photograph, and the encoder takes smoothness for a lack of contrast,
    in the coarse structure of the latent too. An unsharp mask and the grain of a good JPEG undo most of that.
    """
    if settings.polish:
        x = non_local_means(x, settings.polish)
    if settings.sharpen:
        x = unsharp_mask(x, settings.sharpen)
    return jpeg(x, settings.finish_quality) if settings.finish_quality else x


def _decoded(autoencoder: Autoencoder, x_adv: Tensor, mask: Tensor | None) -> Callable[[Tensor], Tensor]:
    """The picture of a scaled latent, of x_adv's size, with x_adv itself outside the mask."""
    keep = within_mask(identity, x_adv, mask)
    height, width = x_adv.shape[-2:]
    return lambda latent: keep(autoencoder.decode(autoencoder.to_unscaled(latent))[..., :height, :width])


def _normal(x: Tensor, seed: int) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)
