"""Masks of every make mean the same part of the picture, and fit it as it was opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.pictures.images import Picture, fit
from impress_ui.pictures.masks import mask_tensor, open_mask

SIZE = (48, 40)
LEFT = np.zeros((40, 48), dtype=bool)
LEFT[:, :16] = True


def strokes(colour: tuple[int, int, int]) -> Image.Image:
    """A layer with the left third painted in a colour, transparent elsewhere."""
    pixels = np.zeros((40, 48, 4), dtype=np.uint8)
    pixels[LEFT] = (*colour, 255)
    return Image.fromarray(pixels)


def palette() -> Image.Image:
    image = Image.fromarray(LEFT.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 128, 0, 0, *[0] * 750])  # as labelling tools colour their first class
    return image


MAKES = {
    "white strokes": (strokes((255, 255, 255)), "transparency"),
    "black strokes": (strokes((0, 0, 0)), "transparency"),
    "red strokes": (strokes((200, 0, 0)), "transparency"),
    "grey levels": (Image.fromarray((LEFT * 255).astype(np.uint8)), "brightness"),
    "one bit": (Image.fromarray(LEFT), "brightness"),
    "colour": (Image.fromarray(np.stack([LEFT * 255, LEFT * 0, LEFT * 0], axis=2).astype(np.uint8)), "brightness"),
    "labels": (Image.fromarray(LEFT.astype(np.uint8)), "labels"),
    "palette": (palette(), "brightness"),
    "16 bits": (Image.fromarray((LEFT * 65535).astype(np.uint16)), "brightness"),
    "16-bit labels": (Image.fromarray(LEFT.astype(np.uint16)), "labels"),
    "32-bit labels": (Image.fromarray(LEFT.astype(np.int32)), "labels"),
    "fractions": (Image.fromarray(LEFT.astype(np.float32)), "brightness"),
}


@pytest.mark.parametrize("make", MAKES)
def test_what_is_painted_is_the_mask(make: str, tmp_path: Path) -> None:
    image, by = MAKES[make]
    path = tmp_path / ("mask.tif" if image.mode in ("F", "I") else "mask.png")
    image.save(path)
    mask = open_mask(path, Picture(Image.new("RGB", SIZE)))
    assert np.array_equal(np.asarray(mask.image) == 255, LEFT) and set(np.unique(mask.image)) <= {0, 255}
    assert mask.notes == (f"Mask: 33% of the picture is painted, by its {by}.",)


@given(
    st.sampled_from(["L", "RGB", "RGBA", "LA", "1", "P", "I;16"]),
    st.integers(0, 255),
    st.integers(33, 60),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_any_picture_is_a_mask_of_two_values(tmp_path: Path, mode: str, level: int, side: int) -> None:
    values = np.random.default_rng(level).integers(0, level + 1, (side, side, 4), dtype=np.uint8)
    image = Image.fromarray(values, "RGBA").convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    image.save(tmp_path / "any.png")
    mask = open_mask(tmp_path / "any.png", Picture(Image.new("RGB", (side, side))))
    assert mask.image.size == (side, side) and set(np.unique(mask.image)) <= {0, 255}
    assert len(mask.notes) == 1


@pytest.mark.parametrize(("size", "longest"), [((1500, 500), 128), ((4096, 1080), 256), ((999, 333), 100)])
def test_a_mask_of_the_picture_s_size_fits_whatever_the_working_size_rounds_to(
    size: tuple[int, int], longest: int, tmp_path: Path
) -> None:
    picture = fit(Picture(Image.new("RGB", size), opened=size), longest)
    Image.new("L", size, 255).save(tmp_path / "mask.png")
    mask = open_mask(tmp_path / "mask.png", picture)
    assert mask.image.size == picture.image.size
    assert mask_tensor(mask.image, picture.image.size).all()
    for other in ((size[0], size[1] + 12), (size[1], size[0])):
        Image.new("L", other, 255).save(tmp_path / "mask.png")
        with pytest.raises(UserError, match="does not fit"):
            open_mask(tmp_path / "mask.png", picture)


def test_masks_are_checked() -> None:
    mask = Image.new("L", (64, 48))
    with pytest.raises(UserError, match="empty"):
        mask_tensor(mask, (64, 48))
    mask.paste(255, (0, 0, 32, 48))
    values = mask_tensor(mask, (128, 96))
    assert values.shape == (1, 1, 96, 128)
    assert values[..., :64].all() and not values[..., 64:].any()
    assert np.array_equal(mask_tensor(mask, (128, 96), inverted=True), 1 - values)
    with pytest.raises(UserError, match="covers everything, and it is inverted"):
        mask_tensor(Image.new("L", (64, 48), 255), (64, 48), inverted=True)
    with pytest.raises(UserError, match="does not fit"):
        mask_tensor(mask, (64, 64))
