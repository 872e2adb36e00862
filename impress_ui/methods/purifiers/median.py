"""The median within a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    median_radius: int = knob(1, "Radius of the median's disk, in pixels.", label="Median radius", step=1, ge=1, le=10)


def median(x: Tensor, radius: int) -> Tensor:
    """Each channel's median within a disk."""
    from skimage import filters
    from skimage.morphology import disk

    from impress_ui.methods.filters import through_arrays

    return through_arrays(x, lambda array: filters.median(array, disk(radius)[..., None]))


MEDIAN = Purifier("median", "Median", Fields, at_once(lambda x, s, _: median(x, s.median_radius)))
