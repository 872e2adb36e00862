"""The settings of a style's imitation: fine-tuning on an artist's pictures."""

from __future__ import annotations

from typing import ClassVar, Literal

from impress_ui.fields import Settings, knob
from impress_ui.settings.recipes import MIMICS

Tuning = Literal["lora", "full"]
Adapted = Literal["attention", "all"]
MimicPreset = Literal["quick", "thorough", "paper"]


class MimicSettings(Settings):
    """How the denoiser is fine-tuned. A preset is a set of defaults for these fields."""

    chooser: ClassVar = "preset"
    choices: ClassVar = MIMICS

    preset: MimicPreset = knob(
        "quick",
        "'quick' is one artist in minutes on two cores; 'thorough' has more works and steps; 'paper' is the published "
        "way for Stable Diffusion.",
        label="Preset",
    )
    works: int = knob(12, "How many of the artist's works are learnt from.", label="Works", step=1, ge=4, le=200)
    imitations: int = knob(
        12, "How many pictures are made in the artist's name and judged.", label="Imitations", step=1, ge=1, le=200
    )
    tuning: Tuning = knob(
        "lora",
        "Train low-rank adapters (LoRA, Hu et al., arXiv 2106.09685), or the whole denoiser as published.",
        label="Fine-tuning",
    )
    adapted: Adapted = knob(
        "all",
        "Which layers get adapters: attention, as is usual for Stable Diffusion, or convolutions too, which the "
        "embedded checkpoint needs: it attends at its coarsest level only, and brushwork is fine.",
        label="Adapted layers",
        needs="tuning=lora",
    )
    rank: int = knob(
        16, "Rank of the adapters.", symbol="r", label="LoRA rank", step=1, ge=1, le=128, needs="tuning=lora"
    )
    steps: int = knob(150, "Steps of the fine-tuning.", label="Fine-tuning steps", step=10, ge=1, le=20000)
    batch: int = knob(8, "Pictures in a step.", label="Batch", step=1, ge=1, le=64)
    learning_rate: float = knob(
        2e-3, "AdamW's learning rate, constant.", symbol="η", label="Fine-tuning rate", step=1e-6, ge=1e-7, le=1e-1
    )
    flip: bool = knob(True, "Also show every picture mirrored.", label="Mirror")
    guidance: float = knob(
        3.0,
        "Guidance of the imitations. What a short fine-tuning has taught holds less the further the text is followed.",
        label="Imitation guidance",
        step=0.5,
        ge=1,
        le=30,
    )
    preview_every: int = knob(
        50, "Steps between two sample pictures; 0 makes none.", label="Preview every", step=10, ge=0, le=10000
    )
