"""JPEG, the control that every purifier must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    jpeg_quality: int = knob(40, "Quality of the JPEG control.", label="JPEG quality", step=1, ge=1, le=100, place=6)


def jpeg(x: Tensor, quality: int) -> Tensor:
    """x after Pillow's JPEG at the quality, with its default chroma subsampling."""
    from impress_ui.methods.filters import through_format

    return through_format(x, "JPEG", quality)


JPEG = Purifier("jpeg", "JPEG", Fields, at_once(lambda x, s, _: jpeg(x, s.jpeg_quality)), control=True)
