from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from impress_ui.art.painting import PHOTOGRAPH, STYLES, paint
from impress_ui.pictures.photographs import squares


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.asarray(squares("test", 128, 1)[0])


@pytest.mark.parametrize("style", STYLES)
def test_a_painting_is_a_function_of_picture_and_seed(style: str, picture: np.ndarray) -> None:
    before = picture.copy()
    first = paint(style, picture, 1)
    assert first.shape == picture.shape and first.dtype == np.uint8
    assert np.array_equal(first, paint(style, picture, 1)) and not np.array_equal(first, paint(style, picture, 2))
    assert np.array_equal(picture, before)


def test_a_photograph_is_left_alone(picture: np.ndarray) -> None:
    assert paint(PHOTOGRAPH, picture, 0) is picture


@pytest.mark.parametrize("style", STYLES)
def test_a_painting_still_shows_its_subject(style: str, picture: np.ndarray) -> None:
    """Seen from afar, light and dark lie where they lay."""

    def far(array: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(array).convert("L").resize((8, 8), Image.Resampling.BOX), float).ravel()

    assert np.corrcoef(far(paint(style, picture, 0)), far(picture))[0, 1] > 0.6


def test_styles_differ_in_what_names_them(picture: np.ndarray) -> None:
    def saturation(style: str) -> float:
        made = paint(style, picture, 0).astype(float)
        return float((made.max(-1) - made.min(-1)).mean())

    assert saturation("pencil sketch") < 1 < saturation("woodcut") < saturation("stained glass window")
