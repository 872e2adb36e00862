"""The settings of the jobs that run the whole diffusion model: edit and generate."""

from __future__ import annotations

from typing import Literal

from impress_ui.fields import Settings, knob

Sampler = Literal["checkpoint", "ddim", "dpm++", "euler", "euler-a", "unipc", "deis", "lms"]
EditMode = Literal["img2img", "inpaint"]


class SamplingSettings(Settings):
    """What edits and generations share: the text and the sampler."""

    prompt: str = knob("", "What the result should show, in words.", label="Prompt", max_length=1000)
    negative_prompt: str = knob("", "What it should not show.", label="Negative prompt", max_length=1000)
    guidance: float = knob(
        4.0,
        "Classifier-free guidance: how strongly the text is followed; 1 turns it off and halves the time.",
        symbol="w",
        label="Guidance",
        step=0.5,
        ge=1,
        le=30,
    )
    sampling_steps: int = knob(
        20, "Steps of the sampler for a full denoising.", label="Sampling steps", step=1, ge=1, le=250
    )
    sampler: Sampler = knob(
        "checkpoint",
        "The checkpoint's own sampler, DDIM (deterministic), DPM++ (multistep, good with few steps), or another one.",
        label="Sampler",
    )

    @property
    def steps_taken(self) -> int:
        """The sampler's steps that are run."""
        return self.sampling_steps


class EditSettings(SamplingSettings):
    """An edit of a picture by text: image to image (Meng et al., arXiv 2108.01073), or inpainting within a mask."""

    prompt: str = knob(
        "an oil painting of a mountain",
        "What the edited picture should show, in words.",
        label="Prompt",
        max_length=1000,
    )
    mode: EditMode = knob("img2img", "Repaint the whole picture, or only what the mask covers.", label="Edit mode")
    strength: float = knob(
        0.5,
        "How much of the picture is given up: 0 returns it as it is, 1 keeps nothing of it.",
        symbol="s",
        label="Edit strength",
        step=0.05,
        ge=0.05,
        le=1,
    )
    invert_mask: bool = knob(False, "What the mask covers stays, and the rest is repainted.", label="Invert the mask")
    paste_back: bool = knob(
        True, "After inpainting, put the pixels outside the mask back as they were.",
        label="Paste the kept region back", needs="mode=inpaint",
    )  # fmt: skip

    hardened: bool = knob(
        False,
        "Read the picture with an encoder that was trained to see through protections, as somebody may who edits. For "
        "the embedded checkpoint alone.",
        label="Hardened encoder",
    )

    @property
    def steps_taken(self) -> int:
        """Of an edit only the strength's share is run, as diffusers counts it."""
        return int(self.sampling_steps * self.strength)


class GenerateSettings(SamplingSettings):
    """Pictures from text alone."""

    guidance: float = knob(
        7.0,
        "Classifier-free guidance: how strongly the text is followed; 1 turns it off and halves the time. From text "
        "alone the embedded checkpoint needs more of it than for an edit, or subjects are hard to tell apart.",
        symbol="w",
        label="Guidance",
        step=0.5,
        ge=1,
        le=30,
    )

    prompt: str = knob(
        "an oil painting of a mountain", "What the picture should show, in words.", label="Prompt", max_length=1000
    )
    count: int = knob(4, "How many pictures, each from a seed of its own.", label="Pictures", step=1, ge=1, le=16)
    width: int = knob(
        128, "Width in pixels. The embedded checkpoint was taught at 128.", step=64, ge=64, le=1024, multiple_of=64
    )
    height: int = knob(128, "Height in pixels.", step=64, ge=64, le=1024, multiple_of=64)
