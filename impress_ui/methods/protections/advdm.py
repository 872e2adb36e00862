"""AdvDM (Liang et al., arXiv 2302.04578), Mist's semantic mode: raise the denoiser's error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.protections.protection import ADVDM, DenoiserFields, NormFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields):
    """Its settings."""


def objective(setup: Setup) -> Objective:
    """The denoiser's error, raised."""
    from impress_ui.methods.attacks.denoising import DenoisingError

    return DenoisingError(setup, weight=-1.0)


ADVDM_PLUS = Protection(
    name="advdm",
    label="AdvDM (Mist, semantic)",
    formula="max mean (ε_θ(z_t, t, c) − ε)²",
    ball="norm",
    source="Liang et al., arXiv 2302.04578; Liang and Wu, arXiv 2305.12683",
    fields=Fields,
    objective=objective,
    defaults=ADVDM,
    curves={"denoising error": "denoising error"},
)
