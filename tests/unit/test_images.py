from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.pictures.files import distinct_names
from impress_ui.pictures.images import (
    LEVELS_PER_UNIT,
    MIN_SIDE,
    Picture,
    fit,
    open_picture,
    pictures_in,
    quantise,
    read_metadata,
    save_png,
    to_images,
    to_tensor,
    working_size,
)


def noise(mode: str = "RGB", size: tuple[int, int] = (48, 40)) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def test_eight_bit_pictures_survive_the_tensor_exactly() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(12).reshape(32, 32, 3)
    image = Image.fromarray(levels)
    x = to_tensor(image)
    assert x.min() == -1 and x.max() == 1
    assert torch.equal(quantise(x), x)
    assert np.array_equal(np.asarray(to_images(x)[0]), levels)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "LA", "RGBA", "CMYK"])
def test_modes_open_as_upright_rgb(mode: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture.{'tif' if mode == 'CMYK' else 'png'}"
    image = noise(mode)
    image.save(path)
    picture = open_picture(path)
    assert picture.image.mode == "RGB" and picture.image.size == (48, 40)
    if mode in ("RGB", "L", "P"):
        assert np.array_equal(np.asarray(picture.image), np.asarray(image.convert("RGB")))
    assert any("CMYK" in note for note in picture.notes) == (mode == "CMYK")


def test_transparency_is_shown_on_white_and_said(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    image.save(tmp_path / "clear.png")
    picture = open_picture(tmp_path / "clear.png")
    assert picture.image.getpixel((5, 5)) == (255, 255, 255)
    assert any("white" in note for note in picture.notes)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    picture = open_picture(tmp_path / "deep.png")
    values = np.asarray(picture.image)[..., 0].astype(float)
    assert np.abs(values - ramp / 257).max() <= 1
    assert any("8 bits" in note for note in picture.notes)


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    image = noise(size=(60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees
    image.save(tmp_path / "turned.png", exif=exif)
    picture = open_picture(tmp_path / "turned.png")
    assert picture.image.size == (40, 60)
    assert np.array_equal(np.asarray(picture.image), np.rot90(np.asarray(image), -1))
    assert any("EXIF" in note for note in picture.notes)


def bad_files(folder: Path) -> dict[str, Path]:
    """Files that must be refused, by what is wrong with them."""
    noise(size=(64, 64)).save(folder / "good.jpg")
    whole = (folder / "good.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("this is no picture")
    (folder / "empty.png").write_bytes(b"")
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    frames = [noise(size=(40, 40)), Image.new("RGB", (40, 40), "red")]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("1", (20000, 10000)).save(folder / "bomb.png")
    (folder / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return {
        "damaged": folder / "cut.jpg",
        "not a picture": folder / "text.png",
        "picture that can be read": folder / "empty.png",
        "1x1": folder / "dot.png",
        "animated": folder / "moving.gif",
        "too large": folder / "bomb.png",
        "use PNG": folder / "drawing.svg",
        "no file": folder / "missing.png",
        "folder": folder,
    }


def test_bad_files_get_one_sentence_each(tmp_path: Path) -> None:
    for words, path in bad_files(tmp_path).items():
        with pytest.raises(UserError) as caught:
            open_picture(path)
        sentence = str(caught.value)
        assert words in sentence and "\n" not in sentence and str(tmp_path) not in sentence


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((720, 360), 256, (256, 128)),
        ((100, 90), 256, (100, 90)),
        ((300, 901), 512, (170, 512)),
        ((512, 512), 512, (512, 512)),
    ],
)
def test_working_size_keeps_the_ratio_and_never_enlarges(
    size: tuple[int, int], longest: int, expected: tuple[int, int]
) -> None:
    assert working_size(size, longest) == expected


def test_a_picture_at_its_working_size_is_not_touched() -> None:
    picture = Picture(noise(size=(128, 96)))
    assert fit(picture, 128) is picture
    reduced = fit(picture, 64)
    assert reduced.image.size == (64, 48) and "128x96" in reduced.notes[-1]


def test_a_sliver_is_refused() -> None:
    with pytest.raises(UserError, match=f"{MIN_SIDE} pixels"):
        fit(Picture(noise(size=(2000, 40))), 256)


def test_png_carries_its_settings_and_its_pixels(tmp_path: Path) -> None:
    image, data = noise(), {"settings": {"α": 0.1}, "note": "<b>"}
    path = save_png(image, tmp_path / "x.png", data)
    assert read_metadata(path) == data
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(image))
    assert read_metadata(save_png(image, tmp_path / "plain.png")) is None


def test_folders_list_their_pictures_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in pictures_in(tmp_path)] == ["a.jpg", "b.png"]
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="holds no"):
        pictures_in(tmp_path / "none")


def test_a_grey_level_is_the_unit_of_budgets() -> None:
    a = to_tensor(Image.new("RGB", (32, 32), (100, 100, 100)))
    b = to_tensor(Image.new("RGB", (32, 32), (116, 100, 100)))
    assert ((b - a).abs().max() * LEVELS_PER_UNIT).item() == pytest.approx(16, abs=1e-4)


@given(st.lists(st.sampled_from(["a.png", "A.png", "a.jpg", "a.png.webp", "a-2.png", "b.jpeg"]), max_size=8))
def test_names_of_results_are_never_alike(files: list[str]) -> None:
    names = distinct_names([Path(file) for file in files])
    assert len({name.casefold() for name in names}) == len(files)
    assert all(name.startswith(Path(file).stem) for name, file in zip(names, files, strict=True))


def test_a_lone_name_is_its_stem() -> None:
    assert distinct_names([Path("a.png"), Path("b.png"), Path("b.jpg")]) == ["a", "b.png", "b.jpg"]
