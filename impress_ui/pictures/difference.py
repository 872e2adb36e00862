"""What changed between two pictures, made visible: an imperceptible perturbation, amplified."""

from __future__ import annotations

import numpy as np
from PIL import Image

from impress_ui.errors import UserError

MID_GREY = 128.0
WHOLE = "The whole"
# Parts that are looked at one pixel for one, by where they lie: shares of the way from the left and from the top.
PARTS = {
    WHOLE: (0.0, 0.0), "1:1, middle": (0.5, 0.5), "1:1, top left": (0.0, 0.0), "1:1, top right": (1.0, 0.0),
    "1:1, bottom left": (0.0, 1.0), "1:1, bottom right": (1.0, 1.0),
}  # fmt: skip
PART_SIDE = 420  # pixels, as high as the page shows them


def part_of(image: Image.Image, part: str) -> Image.Image:
    """A square part of the picture, pixel for pixel; the picture where it is no larger."""
    across, down = PARTS[part]
    width, height = (min(PART_SIDE, length) for length in image.size)
    left, top = round((image.width - width) * across), round((image.height - height) * down)
    return image.crop((left, top, left + width, top + height))


def difference(a: Image.Image, b: Image.Image, gain: float = 8.0, *, signed: bool = False) -> Image.Image:
    """The difference B - A of two RGB pictures of one size, times ``gain``, clipped to 8 bits.

    Args:
        signed: around mid-grey, so that brighter means B is brighter; otherwise |B - A| on black.

    Raises:
        UserError: the sizes differ.
    """
    if a.size != b.size:
        raise UserError(
            f"The pictures differ in size ({a.width}x{a.height} and {b.width}x{b.height}); choose two of one size."
        )
    x, y = (np.asarray(image.convert("RGB"), dtype=np.float32) for image in (a, b))
    amplified = MID_GREY + gain * (y - x) if signed else gain * np.abs(y - x)
    return Image.fromarray(np.clip(amplified + 0.5, 0, 255).astype(np.uint8))
