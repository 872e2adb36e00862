"""Anti-DreamBooth's ASPL (Van Le et al., arXiv 2303.15433): raise the error of a surrogate that trains along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import DenoiserFields, NormFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields):
    """Its settings."""

    surrogate_steps: int = knob(
        3,
        "ASPL: training steps of the surrogate in each round, on the clean pictures and on the protected ones.",
        label="Surrogate steps",
        step=1,
        ge=1,
        le=100,
    )
    attack_steps: int = knob(
        6, "ASPL: attack steps between two trainings of the surrogate.", label="Steps a round", step=1, ge=1, le=200
    )
    surrogate_rate: float = knob(
        2e-3,
        "ASPL: learning rate of the surrogate's adapters, that of our own imitators; published is 5e-7 for a whole "
        "denoiser.",
        label="Surrogate rate",
        step=1e-6,
        ge=1e-7,
        le=1e-1,
    )


def objective(setup: Setup) -> Objective:
    """The error of a surrogate in training."""
    from impress_ui.methods.attacks.surrogate import SurrogateError

    return SurrogateError(setup)


# 5e-2 and 5e-3 of the [-1, 1] range, about: 50 rounds of 6 steps, from the picture itself.
DEFAULTS = {
    "steps": 300,
    "budget": 6,
    "step_size": 0.6,
    "random_start": False,
    "repetitions": 1,
    "beta": 30.0,
    "attacked_prompt": "a photo of sks person",
}

ASPL = Protection(
    name="aspl",
    label="Anti-DreamBooth-like (ASPL)",
    formula="max mean (ε_θ'(z_t, t, c) − ε)², θ' trained on the pictures in turn with the attack",
    ball="norm",
    source="Van Le et al., arXiv 2303.15433",
    fields=Fields,
    objective=objective,
    defaults=DEFAULTS,
    in_turn=True,
    curves={"denoising error": "denoising error"},
    note="The surrogate is a LoRA; no prior pictures and no training of the text encoder.",
)
