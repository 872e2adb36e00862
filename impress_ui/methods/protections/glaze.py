"""GLAZE (Shan et al., arXiv 2302.04222), as IMPRESS's authors re-implemented it: towards another style's latent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import knob
from impress_ui.methods.protections.protection import LpipsFields, Protection

if TYPE_CHECKING:
    from impress_ui.methods.attacks.setup import Setup
    from impress_ui.methods.optimise import Objective


class Fields(LpipsFields):
    """Its settings."""

    style: str = knob(
        "",
        "GLAZE: the style that the picture is moved towards, in words. Empty: the one of our styles that a classifier "
        "finds the least of in the picture.",
        label="Target style",
        max_length=200,
        place=5,
    )


def objective(setup: Setup) -> Objective:
    """The latent's distance to that of the picture in the style; the loop adds the hinge of the LPIPS."""
    from impress_ui.methods.attacks.glaze import StyleDistance
    from impress_ui.methods.attacks.targets import in_another_style

    return StyleDistance(setup.autoencoder, in_another_style(setup))


GLAZE = Protection(
    name="glaze",
    label="GLAZE, towards another style",
    formula="min mean (E(x) − E(x_style))² + w · max(LPIPS − p, 0)",
    ball="lpips",
    source="Shan et al., arXiv 2302.04222, as re-implemented by IMPRESS's authors",
    fields=Fields,
    objective=objective,
    defaults={"steps": 500, "beta": 30.0},
    repaints=True,
    curves={"style distance": "latent distance to the target style, squared", "perceptual": "max(LPIPS − p, 0)"},
    note="Posterior means instead of samples.",
)
