"""The protections' settings."""

from __future__ import annotations

from typing import ClassVar, Literal

from impress_ui.recipes import PROTECTIONS
from impress_ui.settings.base import Settings, knob

ProtectMethod = Literal["photoguard-encoder", "photoguard-diffusion", "glaze"]
Norm = Literal["linf", "l2"]
TargetKind = Literal["zero", "grey", "image"]


class ProtectSettings(Settings):
    """PhotoGuard's attacks (Salman et al., arXiv 2302.06588) and GLAZE (Shan et al., arXiv 2302.04222).

    A method brings its own defaults along for fields that are not given.
    """

    chooser: ClassVar = "method"
    choices: ClassVar = PROTECTIONS

    method: ProtectMethod = knob(
        "photoguard-encoder",
        "PhotoGuard's encoder attack, its diffusion attack through the sampler (ten times slower and more), or GLAZE, "
        "which moves the picture towards another style.",
        label="Protection",
    )
    target: TargetKind = knob(
        "zero",
        "Where the latent (or, in the diffusion attack, the edit) is pushed: zero, grey, or an uploaded picture.",
        label="Target",
    )
    budget: int = knob(
        16,
        "Most that any pixel value may change, in grey levels out of 255.",
        symbol="ε",
        label="Budget",
        step=1,
        ge=0,
        le=64,
    )
    steps: int = knob(40, "Gradient steps of the attack.", label="Attack steps", step=1, ge=1, le=2000)
    step_size: float = knob(
        8.0,
        "First step's size in grey levels; it decays to a hundredth over the run.",
        label="Attack step size",
        step=0.5,
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
        "Diffusion attack: the prompt of the edit that it spoils. Empty, as published, needs no guidance pass.",
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
        "Diffusion attack: noises over which each step's gradient is averaged (10 as published).",
        label="Repetitions",
        step=1,
        ge=1,
        le=50,
    )
    style: str = knob(
        "",
        "GLAZE: the style that the picture is moved towards, in words. Empty: the one of our styles whose "
        "painting of the picture lies farthest from it for the autoencoder.",
        label="Target style",
        max_length=200,
    )
    style_strength: float = knob(
        0.5,
        "GLAZE: strength of the image-to-image edit that turns the picture into its target.",
        label="Target strength",
        step=0.05,
        ge=0.05,
        le=1,
    )
    style_guidance: float = knob(7.5, "GLAZE: guidance of that edit.", label="Target guidance", step=0.5, ge=1, le=30)
    perceptual_budget: float = knob(
        0.05,
        "GLAZE: LPIPS distance from the original that costs nothing.",
        symbol="p",
        label="Perceptual budget",
        step=0.01,
        ge=0,
        le=1,
    )
    perceptual_weight: float = knob(
        30.0, "GLAZE: weight of the LPIPS beyond that.", label="Perceptual weight", step=1, ge=0, le=1000
    )
    glaze_rate: float = knob(
        0.01,
        "GLAZE: Adam's learning rate, in units of the [-1, 1] pixel range.",
        label="GLAZE learning rate",
        step=0.001,
        ge=1e-4,
        le=0.2,
    )
    cap: int = knob(
        0,
        "GLAZE: most that any pixel value may change, in grey levels; 0 is no limit, as published.",
        label="Cap",
        step=1,
        ge=0,
        le=255,
    )
