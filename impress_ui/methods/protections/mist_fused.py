"""Mist's fused mode (Liang and Wu, arXiv 2305.12683): towards the pattern while the denoiser's error rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import ADVDM, DenoiserFields, NormFields, Protection, TargetFields

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields, TargetFields):
    """Its settings."""

    fusion_rate: float = knob(
        1e4,
        "Mist, fused: how much the denoising error counts beside the texture; 10^4 as published.",
        label="Fusion rate",
        step=100,
        ge=0,
        le=1e6,
    )


def objective(setup: Setup) -> Objective:
    """The texture and, against it, the denoiser's error."""
    from impress_ui.methods.attacks.denoising import PUBLISHED_LATENTS, DenoisingError, Texture
    from impress_ui.methods.attacks.setup import Sum
    from impress_ui.methods.attacks.targets import target_latent

    texture = Texture(setup.autoencoder, target_latent(setup))
    return Sum([texture, DenoisingError(setup, weight=-setup.settings.fusion_rate / PUBLISHED_LATENTS)])


MIST_FUSED = Protection(
    name="mist-fused",
    label="Mist, fused",
    formula="min mean (z − z_target)² − rate/16384 · mean (ε_θ(z_t, t, c) − ε)²",
    ball="norm",
    source="Liang and Wu, arXiv 2305.12683",
    fields=Fields,
    objective=objective,
    defaults={**ADVDM, "target": "pattern", "beta": 100.0},
    curves={"texture": "latent distance to the pattern, mean square", "denoising error": "denoising error"},
    note="The published sum over a 512-pixel picture's 16384 latents as a mean, so that the rate fits every size.",
)
