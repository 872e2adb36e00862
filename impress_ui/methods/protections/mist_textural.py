"""Mist's textural mode (Liang and Wu, arXiv 2305.12683): the latent goes to that of a stark pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.protections.protection import EncoderFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(EncoderFields):
    """Its settings."""


def objective(setup: Setup) -> Objective:
    """The scaled latent's distance to the target's."""
    from impress_ui.methods.attacks.denoising import Texture
    from impress_ui.methods.attacks.targets import target_latent

    return Texture(setup.autoencoder, target_latent(setup))


MIST_TEXTURAL = Protection(
    name="mist-textural",
    label="Mist, textural",
    formula="min mean (z − z_target)²",
    ball="norm",
    source="Liang and Wu, arXiv 2305.12683",
    fields=Fields,
    objective=objective,
    defaults={"steps": 100, "step_size": 1.0, "target": "pattern", "beta": 100.0},
    autoencoder_only=True,
    calibrated=True,
    curves={"texture": "latent distance to the pattern, mean square"},
    note="A pattern drawn here stands for MIST.png.",
)
