"""AdvPaint (Jeon et al., ICLR 2025): what the attention makes of the picture is driven away from the original's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.protections.protection import DENOISING, DenoiserFields, NormFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(DenoiserFields, NormFields):
    """Its settings."""


def objective(setup: Setup) -> Objective:
    """The attention's distance to what it makes of the original, raised."""
    from impress_ui.methods.attacks.attention import AttentionShift

    return AttentionShift(setup)


ADVPAINT = Protection(
    name="advpaint",
    label="AdvPaint, attention",
    formula="max mean over layers of mean (φ(z_t, t, c) − φ(z₀_t, t, c))², φ an attention layer's output",
    ball="norm",
    source="Jeon et al., ICLR 2025",
    fields=Fields,
    objective=objective,
    defaults=DENOISING,
    curves={"attention shift": "attention's distance to the original's"},
    note="On any denoiser, without the two stages of masks of the published inpainting attack; on the layers' outputs, "
    "not their queries, keys and values.",
)
