"""DCT-Shield (Bala et al., arXiv 2504.17894): the protected picture is one that a JPEG of some quality holds already.

What is moved is rounded to the steps of that JPEG's coefficients before the encoder sees it, so that the attack uses
nothing which the file would lose, and a JPEG of that quality or above gives back nearly what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import EncoderFields, Protection

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective
    from impress_ui.settings import ProtectSettings


class Fields(EncoderFields):
    """Its settings."""

    kept_quality: int = knob(
        75,
        "DCT-Shield: the JPEG quality whose coefficients hold the change. The picture outlives that quality and those "
        "above it; a lower one outlives more, is weaker and shows less.",
        label="JPEG quality outlived",
        step=1,
        ge=20,
        le=95,
    )
    away: bool = knob(
        False,
        "DCT-Shield: away from the picture's own latent, as EditShield goes, in place of a target. It moves the "
        "latent further, also after a JPEG, and colours the picture more.",
        label="Away from itself",
    )


def objective(setup: Setup) -> Objective:
    """The latent's distance to that of the target; or, raised, to the original's.

    Raises:
        UserError: away from itself on several encoders, whose losses would have no aim to be compared by.
    """
    from impress_ui.errors import UserError
    from impress_ui.methods.attacks.targets import target_latent
    from impress_ui.methods.objectives import LatentDistance, LatentShift

    if setup.settings.away:
        if setup.others:
            raise UserError("Away from itself, a protection is made on one encoder alone; leave also empty.")
        return LatentShift(setup.autoencoder, setup.x, seed=setup.seed)
    return LatentDistance(setup.autoencoder, target_latent(setup))


def form(x: Tensor, settings: ProtectSettings) -> Callable[[Tensor], Tensor]:
    """What a JPEG of the quality makes of a picture, with the gradient straight through its rounding."""
    from impress_ui.methods.attacks.jpeg import differentiable_jpeg

    return lambda y: differentiable_jpeg(y, settings.kept_quality, straight=True)


DCT_SHIELD = Protection(
    name="dct-shield",
    label="DCT-Shield, within a JPEG",
    formula="min ‖E(J_q(x)) − z_target‖₂, where J_q(x) is what a JPEG of quality q holds of x",
    ball="norm",
    source="Bala et al., arXiv 2504.17894",
    fields=Fields,
    objective=objective,
    form=form,
    decays=True,
    autoencoder_only=True,
    curves={"latent distance": "latent distance to the target"},
    note="Steps and budget are of pixels, not of coefficients as published; what exceeds the budget is cut.",
)
