"""Down and up: what is finer than the smaller grid is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    resize_factor: float = knob(
        0.5,
        "Factor by which the resize control shrinks the picture before enlarging it again.",
        label="Resize factor",
        step=0.05,
        ge=0.1,
        le=1,
        place=6,
    )


def down_and_up(x: Tensor, factor: float) -> Tensor:
    """x shrunk by the factor and enlarged again, both with Pillow's Lanczos filter."""
    from PIL import Image

    from impress_ui.methods.filters import through_pictures

    def resize(image: Image.Image) -> Image.Image:
        small = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        return image.resize(small, Image.Resampling.LANCZOS).resize(image.size, Image.Resampling.LANCZOS)

    return through_pictures(x, resize)


RESIZE = Purifier(
    "resize", "Down and up resize", Fields, at_once(lambda x, s, _: down_and_up(x, s.resize_factor)), control=True
)
