from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from impress_ui.art.artists import ARTISTS
from impress_ui.art.painting import PHOTOGRAPH, STYLES, paint, rendered
from impress_ui.art.painting.common import draw_lines, draw_polygons
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


PLAIN = {
    "flat": np.full((64, 64, 3), 128, np.uint8),
    "black": np.zeros((64, 64, 3), np.uint8),
    "white": np.full((64, 64, 3), 255, np.uint8),
    "one pixel": np.full((1, 1, 3), 90, np.uint8),
    "a row": np.random.default_rng(0).integers(0, 256, (1, 40, 3), dtype=np.uint8),
    "a column": np.random.default_rng(1).integers(0, 256, (40, 1, 3), dtype=np.uint8),
    "tiny": np.random.default_rng(2).integers(0, 256, (5, 5, 3), dtype=np.uint8),
}


@pytest.mark.parametrize("picture", PLAIN.values(), ids=PLAIN)
def test_every_renderer_takes_what_has_nothing_to_draw(picture: np.ndarray) -> None:
    painters = {**STYLES, **{name: artist.painter for name, artist in ARTISTS.items()}}
    for name, painter in painters.items():
        painted = rendered(painter, picture, 0)
        assert painted.shape == picture.shape and painted.dtype == np.uint8, name


def test_no_lines_and_no_polygons_leave_the_canvas() -> None:
    canvas = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    none = np.zeros((0, 2, 2))
    assert np.array_equal(draw_lines(canvas, none, np.zeros((0, 3)), 1.0), canvas)
    assert np.array_equal(draw_polygons(canvas, none, np.zeros((0, 3))), canvas)
