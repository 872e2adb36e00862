"""EditShield (Chen et al., arXiv 2311.12066): the latent is driven away from the picture's own, wherever to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.protections.protection import NormFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(NormFields):
    """Its settings."""


def objective(setup: Setup) -> Objective:
    """The latent's distance to the original's, raised."""
    from impress_ui.methods.objectives import LatentShift

    return LatentShift(setup.autoencoder, setup.x, seed=setup.seed)


EDIT_SHIELD = Protection(
    name="edit-shield",
    label="EditShield, away from itself",
    formula="max ‖E(x) − E(x₀)‖₂, unscaled latents",
    ball="norm",
    source="Chen et al., arXiv 2311.12066",
    fields=Fields,
    objective=objective,
    decays=True,
    autoencoder_only=True,
    curves={"latent shift": "latent distance to the original"},
    note="Its expectation over transformations is `robust_to` with blur and crop; rotations are left out.",
)
