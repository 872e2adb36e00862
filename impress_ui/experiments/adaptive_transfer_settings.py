"""The settings of two experiments: protections made against IMPRESS, and protections on foreign autoencoders."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from impress_ui.experiments.settings import ExperimentSettings
from impress_ui.fields import knob
from impress_ui.settings.protect import ProtectMethod

# The adaptive terms that beta weighs.
Term = Literal["consistency", "loss"]
Beta = Annotated[float, Field(gt=0, le=1e6)]


class AdaptiveSettings(ExperimentSettings):
    """Whether a protection holds that was made against IMPRESS: the paper's section 5.4."""

    experiment: Literal["adaptive"] = "adaptive"
    photographs: int | None = knob(8, "Only the first so many photographs of the split.", ge=1)
    methods: tuple[ProtectMethod, ...] = knob(
        ("photoguard-encoder",),
        "Protections; the protect section's fields count for its own method, the others run as they come, GLAZE in its "
        "form for two cores.",
        min_length=1,
    )
    terms: tuple[Term, ...] = knob(("consistency", "loss"), "The terms against IMPRESS that beta weighs.")
    betas: tuple[Beta, ...] = knob(
        (30.0, 100.0, 300.0, 1000.0, 3000.0), "Their weights beside the protection's own objective.", min_length=1
    )
    unrolled: bool = knob(True, "Also the form that attacks what IMPRESS makes of the picture.")


class TransferSettings(ExperimentSettings):
    """Whether what was made on one autoencoder holds on another: protect on A, purify with B, look with C."""

    experiment: Literal["transfer"] = "transfer"
    photographs: int | None = knob(8, "Only the first so many photographs of the split.", ge=1)
    checkpoints: tuple[str, ...] = knob(
        (), "Checkpoints beside the embedded one: folders in diffusers' layout, or autoencoders alone.", max_length=8
    )
    edits: bool = knob(True, "Also edit with the embedded model, the only one here whose denoiser fits its latents.")
