"""AdvDM(−) (Xue et al., arXiv 2311.12832): lower the denoiser's error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.protections.protection import ADVDM, DenoiserFields, NormFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields):
    """Its settings."""


def objective(setup: Setup) -> Objective:
    """The denoiser's error, lowered."""
    from impress_ui.methods.attacks.denoising import DenoisingError

    return DenoisingError(setup, weight=1.0)


ADVDM_MINUS = Protection(
    name="advdm-minus",
    label="AdvDM(−), lowers the error",
    formula="min mean (ε_θ(z_t, t, c) − ε)²",
    ball="norm",
    source="Xue et al., arXiv 2311.12832",
    fields=Fields,
    objective=objective,
    defaults=ADVDM,
    curves={"denoising error": "denoising error"},
)
