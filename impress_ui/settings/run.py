"""What every job shares."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from impress_ui.fields import Settings, knob

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bfloat16", "float16"]
Declared = Literal["undeclared", "no-ai-training"]
Whole = Literal["no", "enlarged", "tiles", "views"]

EMBEDDED = "embedded"
LARGEST_SEED = 2**31 - 1


class RunSettings(Settings):
    """What every job shares: which model, where, at what size, from which seed."""

    checkpoint: str = knob(
        EMBEDDED,
        "The latent diffusion checkpoint: 'embedded', a folder in diffusers' layout, or a hub id such as "
        "stable-diffusion-v1-5/stable-diffusion-v1-5 (Stable Diffusion 1.5, its inpainting sibling, 2.1 and XL; "
        "3.5 and FLUX to protect, reconstruct and purify).",
        min_length=1,
        max_length=500,
        local=True,
    )
    lora: str = knob(
        "",
        "LoRA files to edit, generate and classify with, each as strong as the number after a colon, or 1: "
        "'style.safetensors:0.7, detail.safetensors'. Kohya's, diffusers' and PEFT's are read.",
        label="LoRA",
        max_length=2000,
        local=True,
    )
    device: Device = knob("auto", "Where to compute; 'auto' takes a GPU when there is one.")
    precision: Precision = knob("float32", "Precision of the model; pixels, losses and optimiser stay in float32.")
    size: int = knob(
        256,
        "Longest side that the picture is reduced to, in pixels; smaller pictures are left as they are.",
        label="Working size",
        step=8,
        ge=64,
        le=512,
        multiple_of=8,
    )
    whole: Whole = knob(
        "no",
        "What comes back of a picture larger than the working size: 'no', the reduced one; or one of its own size. "
        "There 'enlarged' adds what changed in the reduced one, 'tiles' does overlapping pieces of the working size "
        "one after the other, and 'views' protects the reduced picture and crops of it in one change, which the "
        "purification then meets with 'enlarged'.",
        label="At its own size",
    )
    check: bool = knob(
        True,
        "After protecting, say what the protection outlives: a JPEG, half the size, the learned purifier, a few steps "
        "of IMPRESS.",
        label="Check what it outlives",
    )
    declare: Declared = knob(
        "undeclared",
        "Written into a protected picture's file as XMP, for who heeds it: 'no-ai-training' is IPTC's property for "
        "data mining, prohibited for AI training. A declaration, not a protection.",
        label="Declare",
    )
    invert_mask: bool = knob(False, "What the mask covers stays, and the rest may change.", label="Invert the mask")
    seed: int = knob(0, "Seed of every random number in a run.", label="Seed", step=1, ge=0, le=LARGEST_SEED)

    @field_validator("whole", mode="before")
    @classmethod
    def _no_is_a_word(cls, value: Any) -> Any:
        return "no" if value is False else value  # as YAML reads it

    @field_validator("seed", mode="before")
    @classmethod
    def _not_any(cls, value: Any) -> Any:
        if value == -1:  # other programs' word for any
            raise ValueError("every run has a seed, so that it can be made again: leave it out for 0, or give one")
        return value
