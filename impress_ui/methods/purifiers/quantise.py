"""A palette of few colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    colours: int = knob(
        32, "Colours of the palette that the quantisation leaves, without dithering.", label="Palette colours", step=1,
        ge=2, le=256,
    )  # fmt: skip


def palette(x: Tensor, colours: int) -> Tensor:
    """x in so many colours, chosen by Pillow's median cut."""
    from PIL import Image

    from impress_ui.methods.filters import through_pictures

    return through_pictures(x, lambda image: image.quantize(colours, dither=Image.Dither.NONE).convert("RGB"))


QUANTISE = Purifier("quantise", "Palette", Fields, at_once(lambda x, s, _: palette(x, s.colours)))
