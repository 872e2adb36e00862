"""Painters: functions that render a photograph in a style that a text can name.

Every painter takes a picture (H, W, 3) of floats in [0, 1] and a numpy generator, and returns the same shape
and range; the same picture and seed give the same painting. Sizes are in pixels at a short side of 128.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from impress_ui.art.painting.facets import cubist, mosaic, stained_glass
from impress_ui.art.painting.inks import pencil, watercolour, woodcut
from impress_ui.art.painting.strokes import oil, pointillist

Painter = Callable[[np.ndarray, np.random.Generator], np.ndarray]

PHOTOGRAPH = "photograph"
LEAST = 8  # pixels
# The styles that the embedded denoiser was taught, by the name that its captions use.
STYLES: dict[str, Painter] = {
    "oil painting": oil,
    "watercolour": watercolour,
    "pointillist painting": pointillist,
    "cubist painting": cubist,
    "woodcut": woodcut,
    "stained glass window": stained_glass,
    "mosaic": mosaic,
    "pencil sketch": pencil,
}


def in_words(style: str) -> str:
    """A style of ``STYLES``, or 'photograph', as a prompt: 'a mosaic', 'an oil painting'."""
    return f"{'an' if style[0] in 'aeiou' else 'a'} {style}"


def paint(style: str, picture: np.ndarray, seed: int) -> np.ndarray:
    """The uint8 picture (H, W, 3) rendered in a style of ``STYLES``, or unchanged for 'photograph'."""
    if style == PHOTOGRAPH:
        return picture
    return rendered(STYLES[style], picture, seed)


def rendered(painter: Painter, picture: np.ndarray, seed: int) -> np.ndarray:
    """What a painter makes of a uint8 picture (H, W, 3), as uint8.

    Painters look at slopes and lay tiles, so a narrower picture than ``LEAST`` is continued by its edge, and cut again.
    """
    height, width = picture.shape[:2]
    ample = np.pad(picture, ((0, max(0, LEAST - height)), (0, max(0, LEAST - width)), (0, 0)), mode="edge")
    painted = painter(ample.astype(np.float32) / 255, np.random.default_rng(seed))[:height, :width]
    return (painted.clip(0, 1) * 255 + 0.5).astype(np.uint8)
