"""Gaussian blur."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    blur_sigma: float = knob(
        1.0, "Deviation of the Gaussian blur, in pixels.", label="Blur deviation", step=0.1, ge=0.1, le=10
    )


def blur(x: Tensor, sigma: float) -> Tensor:
    """x under a Gaussian of the deviation in pixels."""
    from skimage import filters

    from impress_ui.methods.filters import through_arrays

    return through_arrays(x, lambda array: filters.gaussian(array, sigma, channel_axis=2))


BLUR = Purifier("blur", "Gaussian blur", Fields, at_once(lambda x, s, _: blur(x, s.blur_sigma)))
