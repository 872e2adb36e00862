"""StyleGuard (Li et al., arXiv 2505.18766): the style statistics of the latent are moved, and the error raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import ADVDM, DenoiserFields, NormFields, Protection, TargetFields

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields, TargetFields):
    """Its settings."""

    statistics_weight: float = knob(
        1.0,
        "StyleGuard: how much the latent's style statistics count beside the denoising error.",
        label="Weight of the style statistics",
        step=0.1,
        ge=0,
        le=1000,
    )


def objective(setup: Setup) -> Objective:
    """The style's statistics, towards the target's and away from the original's; against it, the denoiser's error."""
    from impress_ui.methods.attacks.denoising import DenoisingError
    from impress_ui.methods.attacks.setup import Sum
    from impress_ui.methods.attacks.statistics import LatentStatistics
    from impress_ui.methods.attacks.targets import target_latent

    style = LatentStatistics(
        setup.autoencoder,
        setup.x,
        target_latent(setup),
        weight=setup.settings.statistics_weight,
        seed=setup.seed,
    )
    return Sum([style, DenoisingError(setup, weight=-1.0)])


STYLEGUARD = Protection(
    name="styleguard",
    label="StyleGuard",
    formula="min w · (‖s(z) − s(z_target)‖₂ − ‖s(z) − s(z₀)‖₂) − mean (ε_θ(z_t, t, c) − ε)², "
    "s the channels' means and deviations",
    ball="norm",
    source="Li et al., arXiv 2505.18766",
    fields=Fields,
    objective=objective,
    defaults={**ADVDM, "target": "pattern"},
    curves={
        "style statistics": "style statistics: distance to the target's less that to the original's",
        "denoising error": "denoising error",
    },
    note="The published one is also made to outlive upscalers; here `robust_to` stands for that.",
)
