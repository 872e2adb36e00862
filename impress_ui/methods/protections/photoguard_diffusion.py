"""PhotoGuard's diffusion attack (Salman et al., arXiv 2302.06588): through the sampler, it spoils an edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import DenoiserFields, NormFields, Protection, TargetFields

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields, TargetFields):
    """Its settings."""

    attacked_strength: float = knob(
        0.5,
        "Diffusion attack: strength of the edit that it spoils; an inpainting checkpoint always starts from noise.",
        label="Attacked strength",
        step=0.05,
        ge=0.05,
        le=1,
        place=3,
    )
    attacked_steps: int = knob(
        4,
        "Diffusion attack: sampling steps that it differentiates through.",
        label="Attacked steps",
        step=1,
        ge=1,
        le=20,
        place=3,
    )
    attacked_guidance: float = knob(
        7.5,
        "Diffusion attack: guidance of that edit, where there is a prompt.",
        label="Attacked guidance",
        step=0.5,
        ge=1,
        le=30,
        place=3,
        needs="attacked_prompt",
    )


def objective(setup: Setup) -> Objective:
    """The edit's distance to the target picture."""
    from impress_ui.methods.attacks.diffusion_attack import EditDistance
    from impress_ui.methods.attacks.targets import target_picture

    target = target_picture(setup)
    return EditDistance(setup.whole_model, setup.settings, target, seed=setup.seed + 1, keep=setup.mask)


PHOTOGUARD_DIFFUSION = Protection(
    name="photoguard-diffusion",
    label="PhotoGuard, diffusion attack",
    formula="min ‖edit(x) − target‖₂, through the sampler",
    ball="norm",
    source="Salman et al., arXiv 2302.06588",
    fields=Fields,
    objective=objective,
    decays=True,
    passes=lambda settings: settings.attacked_steps * (2 if settings.attacked_prompt else 1),
    curves={"edit distance": "distance of the edit to the target"},
    note="No guidance pass without a prompt: the published one mixes a prediction with itself.",
)
