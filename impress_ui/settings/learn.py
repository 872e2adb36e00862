"""The settings of the learned purifier's fine-tuning on one's own pairs."""

from __future__ import annotations

from impress_ui.fields import Settings, knob


class LearnSettings(Settings):
    """How long and how fast; what the loss is made of stands in ``methods/learning.py``."""

    steps: int = knob(300, "Batches to learn from.", label="Steps", step=1, ge=1, le=100_000)
    batch: int = knob(8, "Crops in a batch.", label="Batch", step=1, ge=4, le=256)
    side: int = knob(64, "Side of the crops, in pixels.", label="Crop", step=8, ge=32, le=512, multiple_of=8)
    learning_rate: float = knob(
        3e-4,
        "AdamW's learning rate, which falls to zero by a cosine.",
        label="Learning rate",
        step=1e-5,
        ge=1e-6,
        le=0.01,
    )
    scratch: bool = knob(
        False, "Begin with a new network rather than with the one that comes along.", label="From scratch"
    )
