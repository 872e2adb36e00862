"""Crop and resize: the content shifts under the perturbation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    crop_share: float = knob(
        0.9,
        "Share of each side that a centred crop keeps before it is enlarged again; it shifts the content.",
        label="Crop share",
        step=0.05,
        ge=0.5,
        le=1,
    )


def crop_and_resize(x: Tensor, share: float) -> Tensor:
    """The middle of x, that share of each side, enlarged again with Pillow's bicubic filter, as Mist's tool does."""
    from PIL import Image

    from impress_ui.methods.filters import through_pictures

    def crop(image: Image.Image) -> Image.Image:
        width, height = image.size
        left, top = width * (1 - share) / 2, height * (1 - share) / 2
        return image.resize(image.size, Image.Resampling.BICUBIC, box=(left, top, width - left, height - top))

    return through_pictures(x, crop)


CROP_RESIZE = Purifier(
    "crop-resize", "Crop and resize", Fields, at_once(lambda x, s, _: crop_and_resize(x, s.crop_share))
)
