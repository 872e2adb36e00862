"""Held-out renderings: photographs that no training saw, in every manner that the classifiers tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from impress_ui.art.artists import ARTISTS
from impress_ui.art.painting import PHOTOGRAPH, STYLES, rendered
from impress_ui.measures.classifiers.common import CLASSES
from impress_ui.pictures.photographs import Split, names_of, square

PAINTERS = STYLES | {name: artist.painter for name, artist in ARTISTS.items()}


@dataclass(frozen=True)
class Rendering:
    """A picture, the name of its photograph and the class of ``CLASSES`` in whose manner it is."""

    image: Image.Image
    photograph: str
    manner: str


def in_manner(manner: str, picture: np.ndarray, seed: int) -> np.ndarray:
    """The uint8 picture (H, W, 3) as a class of ``CLASSES`` would show it."""
    return picture if manner == PHOTOGRAPH else rendered(PAINTERS[manner], picture, seed)


def held_out(split: Split, count: int | None = None, *, side: int = 128, seed: int = 0) -> list[Rendering]:
    """The split's photographs (or the first so many) in every manner, clean, photograph by photograph."""
    made = []
    for number, name in enumerate(names_of(split)[:count]):
        photograph = np.asarray(square(name, split, side))
        for manner in CLASSES:
            painted = in_manner(manner, photograph, seed * 1000 + number)
            made.append(Rendering(Image.fromarray(painted), name, manner))
    return made
