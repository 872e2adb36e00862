"""The held-out photographs that ship with the app: no training has ever seen them."""

from __future__ import annotations

import json
from typing import Literal

from PIL import Image

from impress_ui.paths import PHOTOS
from impress_ui.pictures.images import fit, open_picture
from impress_ui.pictures.sizes import centre_square

Split = Literal["validation", "test"]


def names_of(split: Split) -> list[str]:
    """Names of a split's photographs: 'validation' chooses recipes and thresholds, 'test' is for reported figures."""
    return json.loads((PHOTOS / "splits.json").read_text())[split]


def wholes(split: Split, longest: int, count: int | None = None) -> list[Image.Image]:
    """The split's photographs at a working size, as the page would use them."""
    return [fit(open_picture(PHOTOS / split / f"{name}.jpg"), longest).image for name in names_of(split)[:count]]


def squares(split: Split, side: int, count: int | None = None) -> list[Image.Image]:
    """The split's photographs as centre squares reduced to a side, so that they make a batch."""
    return [square(name, split, side) for name in names_of(split)[:count]]


def square(name: str, split: Split, side: int) -> Image.Image:
    """One photograph's centre square at a side."""
    return centre_square(open_picture(PHOTOS / split / f"{name}.jpg").image, side)
