"""Nightshade-like (Shan et al., arXiv 2310.13828): GLAZE's objective towards a picture of another concept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import LpipsFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(LpipsFields):
    """Its settings."""

    concept: str = knob(
        "a photograph of a city",
        "Nightshade: what the model should take the picture for, in words; something that it does not show.",
        label="Target concept",
        max_length=200,
        place=5,
    )


def objective(setup: Setup) -> Objective:
    """The latent's distance to that of the model's picture of the concept."""
    from impress_ui.methods.attacks.glaze import StyleDistance
    from impress_ui.methods.attacks.targets import of_another_concept

    return StyleDistance(setup.autoencoder, of_another_concept(setup))


NIGHTSHADE = Protection(
    name="nightshade",
    label="Nightshade-like, towards another concept",
    formula="min mean (E(x) − E(x_concept))² + w · max(LPIPS − p, 0)",
    ball="lpips",
    source="Shan et al., arXiv 2310.13828",
    fields=Fields,
    objective=objective,
    defaults={"steps": 500, "beta": 30.0, "perceptual_budget": 0.07, "style_strength": 1.0},
    repaints=True,
    curves={"style distance": "latent distance to the target style, squared", "perceptual": "max(LPIPS − p, 0)"},
    note="The target is the model's own picture of the concept, from the picture's latent at full strength.",
)
