"""The protections' settings."""

from __future__ import annotations

from typing import ClassVar, Literal

from impress_ui.settings.base import Settings, knob
from impress_ui.settings.protections import ABOUT
from impress_ui.settings.recipes import PROTECTIONS

ProtectMethod = Literal[
    "photoguard-encoder",
    "photoguard-diffusion",
    "glaze",
    "nightshade",
    "advdm",
    "advdm-minus",
    "mist-textural",
    "mist-fused",
    "sds-plus",
    "sds-minus",
    "sdst-minus",
    "aspl",
]
Norm = Literal["linf", "l2"]
TargetKind = Literal["zero", "grey", "pattern", "image"]
Adaptive = Literal["none", "consistency", "loss", "unrolled"]
# Grey levels beyond which a change of the whole picture is no protection any more.
UNSEEN = 64


class ProtectSettings(Settings):
    """The protections of ``protections.ABOUT``; each brings its own defaults along for fields that are not given."""

    chooser: ClassVar = "method"
    choices: ClassVar = PROTECTIONS
    picker: ClassVar = "method"
    fields_of: ClassVar = {name: about.fields for name, about in ABOUT.items()}

    method: ProtectMethod = knob(
        "photoguard-encoder",
        "How the picture is changed so that the model is misled: see docs/protections.md. The encoder attacks are the "
        "fastest; those through the sampler, and those against a model in training, the slowest.",
        label="Protection",
    )
    target: TargetKind = knob(
        "zero",
        "Where the latent (or, in the diffusion attack, the edit) is pushed: zero, grey, a stark pattern in the manner "
        "of Mist's, or an uploaded picture.",
        label="Target",
    )
    budget: int = knob(
        16,
        f"Most that any pixel value may change, in grey levels out of 255. Above {UNSEEN} only within a mask: a patch.",
        symbol="ε",
        label="Budget",
        step=1,
        ge=0,
        le=255,
    )
    steps: int = knob(40, "Gradient steps of the attack.", label="Attack steps", step=1, ge=1, le=2000)
    step_size: float = knob(
        8.0,
        "Step's size in grey levels; in PhotoGuard's attacks the first one's, which decays to a hundredth.",
        label="Attack step size",
        step=0.1,
        ge=0.1,
        le=64,
    )
    random_start: bool = knob(True, "Start from uniform noise within the budget, as the published attack does.")
    norm: Norm = knob(
        "linf",
        "Most change per pixel (L-infinity, the budget above), or over the whole picture (L2, the radius below).",
        label="Norm",
    )
    l2_radius: float = knob(
        16.0,
        "Radius of the L2 ball: in [-1, 1] units over a 512x512 picture, as published; scaled to other sizes.",
        label="L2 radius",
        step=0.5,
        ge=0,
        le=200,
    )
    l2_step: float = knob(
        1.0, "Length of an L2 step, in the radius's units.", label="L2 step", step=0.1, ge=0.01, le=50
    )
    attacked_prompt: str = knob(
        "",
        "The prompt that the attacked model is given. Empty, as PhotoGuard's diffusion attack has it, needs no "
        "guidance pass there.",
        label="Attacked prompt",
        max_length=1000,
    )
    attacked_strength: float = knob(
        0.5,
        "Diffusion attack: strength of the edit that it spoils; an inpainting checkpoint always starts from noise.",
        label="Attacked strength",
        step=0.05,
        ge=0.05,
        le=1,
    )
    attacked_steps: int = knob(
        4,
        "Diffusion attack: sampling steps that it differentiates through.",
        label="Attacked steps",
        step=1,
        ge=1,
        le=20,
    )
    attacked_guidance: float = knob(
        7.5,
        "Diffusion attack: guidance of that edit, where there is a prompt.",
        label="Attacked guidance",
        step=0.5,
        ge=1,
        le=30,
    )
    repetitions: int = knob(
        4,
        "Noises (and times) over which each step's gradient is averaged: 10 in PhotoGuard's code, 1 in the others'. "
        "More make a small model's noisy gradient surer, and a step dearer.",
        label="Repetitions",
        step=1,
        ge=1,
        le=50,
    )
    style: str = knob(
        "",
        "GLAZE: the style that the picture is moved towards, in words. Empty: the one of our styles that a classifier "
        "finds the least of in the picture.",
        label="Target style",
        max_length=200,
    )
    concept: str = knob(
        "a photograph of a city",
        "Nightshade: what the model should take the picture for, in words; something that it does not show.",
        label="Target concept",
        max_length=200,
    )
    style_strength: float = knob(
        0.5,
        "Strength of the image-to-image edit that turns the picture into its target; 1 keeps nothing of it.",
        label="Target strength",
        step=0.05,
        ge=0.05,
        le=1,
    )
    style_guidance: float = knob(7.5, "Guidance of that edit.", label="Target guidance", step=0.5, ge=1, le=30)
    perceptual_budget: float = knob(
        0.05,
        "LPIPS distance from the original that costs nothing.",
        symbol="p",
        label="Perceptual budget",
        step=0.01,
        ge=0,
        le=1,
    )
    perceptual_weight: float = knob(
        30.0, "Weight of the LPIPS beyond that.", label="Perceptual weight", step=1, ge=0, le=1000
    )
    glaze_rate: float = knob(
        0.01,
        "Adam's learning rate, in units of the [-1, 1] pixel range.",
        label="Attack learning rate",
        step=0.001,
        ge=1e-4,
        le=0.2,
    )
    cap: int = knob(
        0,
        "Most that any pixel value may change, in grey levels; 0 is no limit, as published.",
        label="Cap",
        step=1,
        ge=0,
        le=255,
    )
    fusion_rate: float = knob(
        1e4,
        "Mist, fused: how much the denoising error counts beside the texture; 10^4 as published.",
        label="Fusion rate",
        step=100,
        ge=0,
        le=1e6,
    )
    target_rate: float = knob(
        5.0,
        "SDST: how much the distilled score counts beside the distance to the target.",
        label="Score rate",
        step=0.5,
        ge=0,
        le=100,
    )
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
    adaptive: Adaptive = knob(
        "none",
        "Made against IMPRESS: keep the picture consistent under the autoencoder (the paper's section 5.4), keep "
        "IMPRESS's whole loss low, or attack what IMPRESS makes of the picture after a few steps.",
        label="Adaptive",
    )
    beta: float = knob(
        1000.0,
        "Weight of the consistency, or of IMPRESS's loss, beside the protection's own objective; 30 in the paper, for "
        "GLAZE.",
        symbol="β",
        label="Adaptive weight",
        ge=0,
        le=1e6,
    )
    unrolled_steps: int = knob(
        3,
        "Adaptive, unrolled: IMPRESS's steps in each of the attack's.",
        label="Unrolled steps",
        step=1,
        ge=1,
        le=100,
    )
