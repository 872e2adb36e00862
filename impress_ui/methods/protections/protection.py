"""What a protection is: its words, its fields and the objective that the loop minimises, in one file each.

A new one is a file beside these and its name in the table of ``methods/protections``. Torch is imported where the
objective is built and nowhere above, so that the command line and the page know every method at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from impress_ui.fields import Settings, knob

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective
    from impress_ui.settings import ProtectSettings

Ball = Literal["norm", "lpips"]
Norm = Literal["linf", "l2"]
TargetKind = Literal["zero", "grey", "pattern", "image"]
Adaptive = Literal["none", "consistency", "loss", "unrolled"]
Alteration = Literal["jpeg", "resize", "blur", "noise", "crop", "screenshot", "learned"]
# Grey levels beyond which a change of the whole picture is no protection any more.
UNSEEN = 64


@dataclass(frozen=True)
class Protection:
    """One protection.

    Attributes:
        name: as settings, command line and API have it.
        label: for people.
        formula: what is minimised (min) or maximised (max), with z = the scaled latent of x.
        ball: what bounds the change: an L-infinity or L2 ball, or LPIPS by a hinge in the objective.
        source: paper or code.
        fields: the settings that it has.
        objective: builds what the loop minimises, for the pictures and settings of a run.
        form: for pictures x (B, 3, H, W) in [-1, 1] and the settings, what gives the changed ones a form of its own,
            such as what a JPEG can hold; a differentiable map of pictures to pictures. The loop moves what is put in,
            and what comes out is brought within the bounds and attacked. None where any change will do.
        defaults: where its published defaults are not those of the fields.
        decays: whether a sign step shrinks over the run, as PhotoGuard's does.
        autoencoder_only: whether it does without the denoiser.
        calibrated: whether it is known how far it must move the latent until an edit is spoiled; ``jobs/check.py``.
        repaints: whether its target is a picture that the denoiser paints, unless one is given.
        in_turn: whether it trains a model of its own in turn with the steps, so that each of its calls is one.
        passes: how many times a step runs what one of its kind runs once; every estimate of cost is made of it.
        curves: its terms as the page draws them, in words; ``CURVES`` has those of the common ones.
        note: where ours is not the published code.
    """

    name: str
    label: str
    formula: str
    ball: Ball
    source: str
    fields: type[Settings]
    objective: Callable[[Setup], Objective]
    form: Callable[[Tensor, ProtectSettings], Callable[[Tensor], Tensor]] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    decays: bool = False
    autoencoder_only: bool = False
    calibrated: bool = False
    repaints: bool = False
    in_turn: bool = False
    passes: Callable[[ProtectSettings], int] = lambda _: 1
    curves: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def constraint(self) -> str:
        """What bounds the change, in words."""
        bound = "L∞ or L2 ball" if self.ball == "norm" else "[-1, 1]; on request an L∞ cap"
        return f"{bound}, mask"

    @property
    def stepper(self) -> str:
        """How it steps, in words."""
        if self.ball == "lpips":
            return "Adam, constant rate"
        return f"sign{', decaying to 1/100' if self.decays else ''}; in the L2 ball steps of one length"

    @property
    def many_encoders(self) -> bool:
        """Whether it can be made against several encoders at once."""
        return "also" in self.fields.model_fields

    @property
    def unit(self) -> str:
        """The unit of its budget, in words."""
        return "grey levels of 255, or the L2 radius" if self.ball == "norm" else "LPIPS; the cap in grey levels"


# In both balls.
STEPS = knob(40, "Gradient steps of the attack.", label="Attack steps", step=1, ge=1, le=2000, place=1)
RANDOM_START = knob(True, "Start from uniform noise within the budget, as the published attack does.", place=1)


class OutlastingFields(Settings):
    """Made against IMPRESS, or through what pictures go through; see ``methods/attacks``, adaptive.py and robust.py."""

    robust_to: tuple[Alteration, ...] = knob(
        (),
        "Made to outlive these: each step also attacks versions of the picture that went through one of them, drawn "
        "anew: JPEG of quality 40 to 95, scaling to 0.4 to 0.9 of the sides and back, blur, noise, a crop, a "
        "screenshot (scaled, then JPEG), or the learned purifier. Dearer by as many versions as a step draws.",
        label="Made to outlive",
        choices=get_args(Alteration),
        place=8,
    )
    draws: int = knob(
        1,
        "Altered versions that each step attacks beside the picture.",
        label="Versions a step",
        step=1,
        ge=1,
        le=16,
        place=8,
        needs="robust_to",
    )

    adaptive: Adaptive = knob(
        "none",
        "Made against IMPRESS: keep the picture consistent under the autoencoder (the paper's section 5.4), keep "
        "IMPRESS's whole loss low, or attack what IMPRESS makes of the picture after a few steps.",
        label="Adaptive",
        place=8,
    )
    beta: float = knob(
        1000.0,
        "Weight of the consistency, or of IMPRESS's loss, beside the protection's own objective; 30 in the paper, for "
        "GLAZE.",
        symbol="β",
        label="Adaptive weight",
        ge=0,
        le=1e6,
        place=8,
        needs="adaptive=consistency|loss",
    )
    unrolled_steps: int = knob(
        3,
        "Adaptive, unrolled: IMPRESS's steps in each of the attack's.",
        label="Unrolled steps",
        step=1,
        ge=1,
        le=100,
        place=8,
        needs="adaptive=unrolled",
    )


class NormFields(OutlastingFields):
    """Projected gradient descent (PGD) in a ball: sign steps in L-infinity, steps of one length in L2."""

    budget: int = knob(
        16,
        f"Most that any pixel value may change, in grey levels out of 255. Above {UNSEEN} only within a mask: a patch.",
        symbol="ε",
        label="Budget",
        step=1,
        ge=0,
        le=255,
        place=1,
        needs="norm=linf",
    )
    smooth_share: float = knob(
        1.0,
        "Share of the budget, and of each step, that smooth areas get, where the eye forgives least; textured ones "
        "have all of it. 1 treats all alike; 0.15 with a larger budget is as strong and less visible.",
        label="Budget in smooth areas",
        step=0.05,
        ge=0,
        le=1,
        place=1,
    )
    steps: int = STEPS
    step_size: float = knob(
        8.0,
        "Step's size in grey levels; in PhotoGuard's attacks and the two shields the first one's, which decays to a "
        "hundredth.",
        label="Attack step size",
        step=0.1,
        ge=0.1,
        le=64,
        place=1,
        needs="norm=linf",
    )
    random_start: bool = RANDOM_START
    norm: Norm = knob(
        "linf",
        "Most change per pixel (L-infinity, the budget above), or over the whole picture (L2, the radius below).",
        label="Norm",
        place=1,
    )
    l2_radius: float = knob(
        16.0,
        "Radius of the L2 ball: in [-1, 1] units over a 512x512 picture, as published; scaled to other sizes.",
        label="L2 radius",
        step=0.5,
        ge=0,
        le=200,
        place=1,
        needs="norm=l2",
    )
    l2_step: float = knob(
        1.0, "Length of an L2 step, in the radius's units.", label="L2 step", step=0.1, ge=0.01, le=50, place=1,
        needs="norm=l2",
    )  # fmt: skip


class LpipsFields(OutlastingFields):
    """Adam towards a picture that the model paints, held by LPIPS (GLAZE)."""

    steps: int = STEPS
    random_start: bool = RANDOM_START
    style_strength: float = knob(
        0.5,
        "Strength of the image-to-image edit that turns the picture into its target; 1 keeps nothing of it.",
        label="Target strength",
        step=0.05,
        ge=0.05,
        le=1,
        place=6,
    )
    style_guidance: float = knob(7.5, "Guidance of that edit.", label="Target guidance", step=0.5, ge=1, le=30, place=6)
    perceptual_budget: float = knob(
        0.05,
        "LPIPS distance from the original that costs nothing.",
        symbol="p",
        label="Perceptual budget",
        step=0.01,
        ge=0,
        le=1,
        place=6,
    )
    perceptual_weight: float = knob(
        30.0, "Weight of the LPIPS beyond that.", label="Perceptual weight", step=1, ge=0, le=1000, place=6
    )
    glaze_rate: float = knob(
        0.01,
        "Adam's learning rate, in units of the [-1, 1] pixel range.",
        label="Attack learning rate",
        step=0.001,
        ge=1e-4,
        le=0.2,
        place=6,
    )
    cap: int = knob(
        0,
        "Most that any pixel value may change, in grey levels; 0 is no limit, as published.",
        label="Cap",
        step=1,
        ge=0,
        le=255,
        place=6,
    )


class TargetFields(Settings):
    """Where a targeted one pushes."""

    target: TargetKind = knob(
        "zero",
        "Where the latent (or, in the diffusion attack, the edit) is pushed: zero, grey, a stark pattern in the manner "
        "of Mist's, or an uploaded picture.",
        label="Target",
        place=0,
    )


class EncoderFields(NormFields, TargetFields):
    """What those have that attack the encoder alone."""

    also: str = knob(
        "",
        "Other checkpoints whose encoders it must mislead too, with commas between; each costs as much as the first. "
        "Steps follow the encoder that is least misled.",
        label="Also against",
        max_length=2000,
        place=3,
        local=True,
    )


class DenoiserFields(Settings):
    """What those have that run the denoiser."""

    attacked_prompt: str = knob(
        "",
        "The prompt that the attacked model is given. Empty, as PhotoGuard's diffusion attack has it, needs no "
        "guidance pass there.",
        label="Attacked prompt",
        max_length=1000,
        place=2,
    )
    repetitions: int = knob(
        4,
        "Noises (and times) over which each step's gradient is averaged: 10 in PhotoGuard's code, 1 in the others'. "
        "More make a small model's noisy gradient surer, and a step dearer.",
        label="Repetitions",
        step=1,
        ge=1,
        le=50,
        place=4,
    )


# Defaults of the methods on the denoiser. Sign methods other than PhotoGuard's keep one step size; 16 grey levels in
# steps of one are Mist's and Diff-Protect's 16/255 and 1/255 of the [0, 1] range. The adaptive weights beta, but for
# GLAZE's 30, are ours: with them both gradients begin alike on the embedded checkpoint.
DENOISING: dict[str, Any] = {"steps": 100, "step_size": 1.0, "repetitions": 1, "beta": 30.0}
ADVDM: dict[str, Any] = {**DENOISING, "attacked_prompt": "a painting"}
SDS: dict[str, Any] = {**DENOISING, "attacked_prompt": "a photo", "random_start": False}
