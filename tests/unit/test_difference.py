"""The amplified difference of two pictures."""

import numpy as np
import pytest
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.pictures.difference import difference

A = Image.new("RGB", (40, 40), (100, 100, 100))
B = Image.new("RGB", (40, 40), (102, 97, 100))


def test_absolute_difference_is_multiplied() -> None:
    assert difference(A, B, 8).getpixel((5, 5)) == (16, 24, 0)


def test_signed_difference_lies_around_mid_grey() -> None:
    assert difference(A, B, 8, signed=True).getpixel((5, 5)) == (144, 104, 128)
    assert difference(B, A, 8, signed=True).getpixel((5, 5)) == (112, 152, 128)


def test_it_is_clipped_and_equal_pictures_are_black() -> None:
    assert difference(A, B, 200).getpixel((0, 0)) == (255, 255, 0)
    assert not np.asarray(difference(A, A, 64)).any()


def test_sizes_must_agree() -> None:
    with pytest.raises(UserError, match="differ in size"):
        difference(A, B.resize((41, 40)))
