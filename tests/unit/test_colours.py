"""What is known about the pixels is kept, or its loss is said: profiles, depth, transparency, formats."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from impress_ui.errors import UserError
from impress_ui.pictures.images import open_picture

RAMP = np.tile(np.linspace(0, 1, 64), (48, 1))


def test_a_profile_that_is_srgb_changes_nothing(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(colours).save(
        tmp_path / "a.png", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    picture = open_picture(tmp_path / "a.png")
    assert np.array_equal(np.asarray(picture.image), colours) and picture.notes == ()


def adobe_rgb() -> bytes:
    """A matrix profile of Adobe RGB's primaries and gamma 2.2, written from ICC.1's layout."""
    import struct

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(s15, values))

    text = b"desc\0\0\0\0" + struct.pack(">I", 10) + b"Adobe RGB\0" + bytes(78)
    tags = {
        b"desc": text + bytes(-len(text) % 4), b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": xyz(0.9642, 1, 0.8249),
        b"rXYZ": xyz(0.60974, 0.31111, 0.01947), b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">IHH", 1, 0x0233, 0)),
    }  # fmt: skip
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(28) + s15(0.9642) + s15(1) + s15(0.8249)
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body


def test_a_wide_profile_is_converted_and_said(tmp_path: Path) -> None:
    colours = np.zeros((48, 64, 3), dtype=np.uint8)
    colours[:] = (100, 180, 60)
    Image.fromarray(colours).save(tmp_path / "a.png", icc_profile=adobe_rgb())
    picture = open_picture(tmp_path / "a.png")
    assert picture.notes == ("Converted from Adobe RGB to sRGB.",)
    # By hand: decode gamma 2.2, Adobe RGB's primaries to XYZ, XYZ to linear sRGB (both with the D50 white), encode.
    to_xyz = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
    srgb = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
    linear = np.linalg.solve(srgb, to_xyz @ (np.array([100, 180, 60]) / 255) ** 2.19921875).clip(0, 1)
    wanted = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(np.asarray(picture.image)[0, 0] - wanted).max() <= 2
    assert np.abs(wanted - (100, 180, 60)).max() > 20


def test_a_damaged_profile_is_left_out_and_said(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "a.png", icc_profile=b"no profile at all")
    picture = open_picture(tmp_path / "a.png")
    assert picture.image.getpixel((0, 0)) == (0, 128, 128)
    assert picture.notes == ("Its colour profile cannot be used and was left out.",)


@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_other_spaces_are_converted_and_said(mode: str, tmp_path: Path) -> None:
    grey = Image.new("RGB", (64, 48), (128, 128, 128))
    if mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        grey = ImageCms.profileToProfile(grey, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    else:
        grey = grey.convert(mode)
    grey.save(tmp_path / "a.tif")
    picture = open_picture(tmp_path / "a.tif")
    assert np.abs(np.asarray(picture.image).astype(int) - 128).max() <= 2
    assert any("Converted from" in note for note in picture.notes)


@pytest.mark.parametrize(
    ("dtype", "full"), [(np.uint16, 65535), (np.int32, 255), (np.int32, 65535), (np.int32, 2**30), (np.float32, 1.0),
                        (np.float32, 255.0), (np.float32, 4.0e4)],
)  # fmt: skip
def test_deep_grey_keeps_its_range(dtype: type, full: float, tmp_path: Path) -> None:
    Image.fromarray((RAMP * full).astype(dtype)).save(tmp_path / "a.tif")
    picture = open_picture(tmp_path / "a.tif")
    assert np.abs(np.asarray(picture.image)[..., 0].astype(float) - RAMP * 255).max() <= 1.01
    assert "8 bits a channel" in picture.notes[0]


def test_sixteen_bits_of_colour_are_said(tmp_path: Path) -> None:
    import struct
    import zlib

    rows = b"".join(b"\0" + struct.pack(">192H", *range(0, 192 * 300, 300)) for _ in range(48))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(png)
    assert open_picture(tmp_path / "a.png").notes == ("Reduced from 16 bits to 8 bits a channel.",)
    Image.new("RGB", (64, 48)).save(tmp_path / "b.png")
    assert open_picture(tmp_path / "b.png").notes == ()


def test_numbers_that_are_none_are_black(tmp_path: Path) -> None:
    values = RAMP.astype(np.float32).copy()
    values[0, :] = np.nan
    values[1, :] = np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    shown = np.asarray(open_picture(tmp_path / "a.tif").image)
    assert not shown[:2].any() and shown[2:].max() == 255


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), (10, 200, 30)).save(tmp_path / "a.avif", quality=95)
    assert np.abs(np.asarray(open_picture(tmp_path / "a.avif").image)[20, 20].astype(int) - (10, 200, 30)).max() < 12


def test_heic_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    for name in ("photo.heic", "photo.jpg"):  # whatever it is called
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
        with pytest.raises(UserError, match=r"HEIC picture.*pip install pillow-heif"):
            open_picture(tmp_path / name)
    with io.BytesIO() as buffer:
        Image.new("RGB", (40, 40)).save(buffer, "JPEG")
        (tmp_path / "named.heic").write_bytes(buffer.getvalue())
    assert open_picture(tmp_path / "named.heic").image.size == (40, 40)
