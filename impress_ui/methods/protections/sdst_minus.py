"""SDST(−) (Xue et al., arXiv 2311.12832): towards a target while the distilled error falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import SDS, DenoiserFields, NormFields, Protection, TargetFields

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields, TargetFields):
    """Its settings."""

    target_rate: float = knob(
        5.0,
        "SDST: how much the distilled score counts beside the distance to the target.",
        label="Score rate",
        step=0.5,
        ge=0,
        le=100,
    )


def objective(setup: Setup) -> Objective:
    """The texture and the distilled error."""
    from impress_ui.methods.attacks.denoising import DenoisingError, Texture
    from impress_ui.methods.attacks.setup import Sum
    from impress_ui.methods.attacks.targets import target_latent

    texture = Texture(setup.autoencoder, target_latent(setup))
    return Sum([texture, DenoisingError(setup, weight=setup.settings.target_rate, distilled=True)])


SDST_MINUS = Protection(
    name="sdst-minus",
    label="SDST(−), with a target",
    formula="min mean (z − z_target)² + rate · (SDS's term)",
    ball="norm",
    source="Xue et al., arXiv 2311.12832",
    fields=Fields,
    objective=objective,
    defaults={**SDS, "target": "pattern", "beta": 100.0},
    curves={"texture": "latent distance to the pattern, mean square", "denoising error": "denoising error"},
    note="A pattern drawn here is the target.",
)
