"""SDS(−) (Xue et al., arXiv 2311.12832): lower the error by score distillation's gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.protections.protection import SDS, DenoiserFields, NormFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields):
    """Its settings."""


def objective(setup: Setup) -> Objective:
    """The denoiser's error, lowered, its own gradient left out."""
    from impress_ui.methods.attacks.denoising import DenoisingError

    return DenoisingError(setup, weight=1.0, distilled=True)


SDS_MINUS = Protection(
    name="sds-minus",
    label="SDS(−), lowers the error",
    formula="min, by the gradient (dz/dx)ᵀ(ε_θ − ε): the denoiser is not differentiated",
    ball="norm",
    source="Xue et al., arXiv 2311.12832",
    fields=Fields,
    objective=objective,
    defaults=SDS,
    curves={"denoising error": "denoising error"},
)
