"""The bilateral filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    bilateral_colour: float = knob(
        0.05,
        "How far apart two colours may be to be averaged, as a deviation in the [0, 1] pixel range.",
        label="Bilateral colour",
        step=0.01,
        ge=0.01,
        le=1,
    )
    bilateral_space: float = knob(
        2.0,
        "How far apart two pixels may be to be averaged, as a deviation in pixels.",
        label="Bilateral space",
        step=0.5,
        ge=0.5,
        le=10,
    )


def bilateral(x: Tensor, colour: float, space: float) -> Tensor:
    """Tomasi and Manduchi's filter (1998): averages near pixels of like colour."""
    from skimage.restoration import denoise_bilateral

    from impress_ui.methods.filters import through_arrays

    return through_arrays(
        x,
        lambda array: denoise_bilateral(array, sigma_color=colour, sigma_spatial=space, mode="edge", channel_axis=-1),
    )


BILATERAL = Purifier(
    "bilateral",
    "Bilateral",
    Fields,
    at_once(lambda x, s, _: bilateral(x, s.bilateral_colour, s.bilateral_space)),
)
