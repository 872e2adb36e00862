"""PhotoGuard's encoder attack (Salman et al., arXiv 2302.06588): PGD that pushes the latent to a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.protections.protection import EncoderFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(EncoderFields):
    """Its settings."""


def objective(setup: Setup) -> Objective:
    """The latent's distance to that of the target."""
    from impress_ui.methods.attacks.targets import target_latent
    from impress_ui.methods.objectives import LatentDistance

    return LatentDistance(setup.autoencoder, target_latent(setup))


PHOTOGUARD_ENCODER = Protection(
    name="photoguard-encoder",
    label="PhotoGuard, encoder attack",
    formula="min ‖E(x) − z_target‖₂, unscaled latents",
    ball="norm",
    source="Salman et al., arXiv 2302.06588",
    fields=Fields,
    objective=objective,
    decays=True,
    autoencoder_only=True,
    calibrated=True,
    curves={"latent distance": "latent distance to the target"},
)
