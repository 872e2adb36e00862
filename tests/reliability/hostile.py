"""Pictures that are wrong, in every format: good ones to be mutated, the mutations, and a corpus made by hand."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

SIZE = (48, 40)
MARKUP = "<img src=x onerror=alert(1)>"


def _noise(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    return Image.fromarray(values.squeeze(), mode=mode) if bands == 1 else Image.fromarray(values).convert(mode)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@lru_cache(maxsize=1)
def good_pictures() -> dict[str, bytes]:
    """One picture of each kind that the loader takes or knows to refuse, by name."""
    info, exif = PngInfo(), Image.Exif()
    info.add_itxt("impress", '{"settings": {"run": {"seed": 3}}}')
    info.add_text("Comment", MARKUP, zip=True)
    exif[0x0112], exif[0x010E] = 6, MARKUP
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    frames = [_noise().convert("P"), Image.new("P", SIZE, 7)]
    deep = Image.fromarray(np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE[1], SIZE[0]) * 30)
    return {
        "rgb.png": _saved(_noise(), "PNG", pnginfo=info, icc_profile=profile),
        "alpha.png": _saved(_noise("RGBA"), "PNG", exif=exif),
        "palette.png": _saved(_noise().convert("P"), "PNG", transparency=3),
        "deep.png": _saved(deep, "PNG"),
        "bilevel.png": _saved(_noise("L").convert("1"), "PNG"),
        "moving.png": _saved(_noise(), "PNG", save_all=True, append_images=[Image.new("RGB", SIZE)]),
        "plain.jpg": _saved(_noise(), "JPEG", exif=exif, icc_profile=profile, comment=MARKUP),
        "progressive.jpg": _saved(_noise(), "JPEG", progressive=True, restart_marker_rows=1),
        "cmyk.jpg": _saved(_noise("CMYK"), "JPEG"),
        "phone.jpg": _saved(_noise(), "MPO", save_all=True, append_images=[_noise("L").convert("RGB")]),
        "lossy.webp": _saved(_noise(), "WEBP", exif=exif.tobytes()),
        "lossless.webp": _saved(_noise("RGBA"), "WEBP", lossless=True),
        "moving.webp": _saved(_noise(), "WEBP", save_all=True, append_images=[Image.new("RGB", SIZE)]),
        "still.gif": _saved(frames[0], "GIF", comment=MARKUP.encode()),
        "moving.gif": _saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "raw.tiff": _saved(_noise(), "TIFF", exif=exif),
        "lzw.tiff": _saved(_noise(), "TIFF", compression="tiff_lzw"),
        "jpeg.tiff": _saved(_noise(), "TIFF", compression="jpeg"),
        "float.tiff": _saved(Image.fromarray(np.random.default_rng(0).random(SIZE[::-1], dtype=np.float32)), "TIFF"),
        "pages.tiff": _saved(_noise(), "TIFF", save_all=True, append_images=[_noise()]),
        "colour.bmp": _saved(_noise(), "BMP"),
        "palette.bmp": _saved(_noise().convert("P"), "BMP"),
    }  # fmt: skip


# --- mutations ---------------------------------------------------------------------------------------------

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate(data: bytes, operations: Sequence[tuple[str, float, int]], others: Sequence[bytes], repair: bool) -> bytes:
    """The bytes after each (name, place in 0..1, number) of ``MUTATIONS``.

    Args:
        repair: give a PNG's chunks their right checksums again, so that more than the checksum is tested.
    """
    for name, place, number in operations:
        if data:
            data = MUTATIONS[name](data, int(place * (len(data) - 1)), number, others)
    return _with_checksums(data) if repair else data


def _splice(data: bytes, at: int, number: int, others: Sequence[bytes]) -> bytes:
    other = others[number % len(others)]
    return data[:at] + other[min(at, len(other)) :]


def _extreme(data: bytes, at: int, number: int, others: Sequence[bytes]) -> bytes:
    """A number of 4 bytes, in either order, replaced by one at the edge of its range: sizes, offsets, counts."""
    order = ">I" if number % 2 else "<I"
    return data[:at] + struct.pack(order, EXTREMES[number // 2 % len(EXTREMES)]) + data[at + 4 :]


Mutation = Callable[[bytes, int, int, Sequence[bytes]], bytes]
MUTATIONS: dict[str, Mutation] = {
    "flip": lambda data, at, number, _: data[:at] + bytes([data[at] ^ (1 << number % 8)]) + data[at + 1 :],
    "set": lambda data, at, number, _: data[:at] + bytes([number % 256]) + data[at + 1 :],
    "extreme": _extreme,
    "cut": lambda data, at, number, _: data[:at],
    "remove": lambda data, at, number, _: data[:at] + data[at + 1 + number % 64 :],
    "repeat": lambda data, at, number, _: data[:at] + data[at : at + 1 + number % 64] * (2 + number % 50) + data[at:],
    "insert": lambda data, at, number, _: data[:at] + bytes(number % 256 for _ in range(1 + number % 64)) + data[at:],
    "splice": _splice,
}


def _with_checksums(data: bytes) -> bytes:
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    made, at = data[:8], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        if at + 12 + length > len(data):
            break
        made += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return made + data[at:]


# --- the corpus --------------------------------------------------------------------------------------------


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, pixels: bytes, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    idat = _chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + idat + _chunk(b"IEND", b"")


def _tiff(tags: Sequence[tuple[int, int, int, int]], after: int = 0) -> bytes:
    """A little-endian TIFF of one directory of (tag, type, count, value); ``after``: where the next one should be."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + struct.pack("<I", after)


@lru_cache(maxsize=1)
def corpus() -> dict[str, bytes]:
    """Hostile files made by hand, by name; all are to be refused but those whose name begins with 'fine'."""
    good = good_pictures()
    row = bytes(1 + 3 * SIZE[0])
    text = zlib.compress(b"x" * 80_000_000, 1)
    nested = b"impress\0\0\0\0\0" + b"[" * 900_000
    grey = [(256, 3, 1, 64), (257, 3, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    gif = good["still.gif"]
    return {
        "empty.png": b"",
        "text.png": b"I am no picture.",
        "drawing.svg": f'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">{MARKUP}</svg>'.encode(),
        "entities.svg": b'<!DOCTYPE s [<!ENTITY a "&b;&b;"><!ENTITY b "xxxxxxxx">]><svg>&a;</svg>',
        "page.jpg": b"<html><script>alert(1)</script></html>",
        "bomb.png": _png(30_000, 30_000, b"\0" * 1_000_000, depth=1, colour=0),
        "huge-header.png": _png(2**31 - 1, 2**31 - 1, b""),
        "wide.png": _png(1_000_000, 40, b""),
        "no-width.png": _png(0, 64, b""),
        "thin.png": _png(1, 60_000, bytes(4) * 60_000),
        "fine-missing-pixels.png": _png(*SIZE, row),
        "text-bomb.png": _png(*SIZE, row * SIZE[1], _chunk(b"zTXt", b"Comment\0\0" + text)),
        "profile-bomb.png": _png(*SIZE, row * SIZE[1], _chunk(b"iCCP", b"icc\0\0" + text)),
        "fine-nested-settings.png": _png(*SIZE, row * SIZE[1], _chunk(b"iTXt", nested)),
        "fine-then-a-zip.png": good["rgb.png"] + b"PK\3\4" + b"../../evil.py" * 20,
        "fine-many-chunks.png": _png(*SIZE, row * SIZE[1], *[_chunk(b"tEXt", b"k%d\0v" % n) for n in range(20_000)]),
        "gif-and-script.gif": b"GIF89a/*" + b"\0" * 60 + b"*/=1;alert(1)",
        "frames.gif": gif[:-1] + gif[gif.index(b",") : -1] * 20_000 + b";",
        "big.gif": gif[:6] + struct.pack("<HH", 65535, 65535) + gif[10:],
        "cut.jpg": good["plain.jpg"][:300],
        "big.jpg": good["plain.jpg"].replace(struct.pack(">HH", SIZE[1], SIZE[0]), struct.pack(">HH", 65535, 65535)),
        "markers.jpg": b"\xff\xd8" + b"\xff\xe1\xff\xff" * 100_000,
        "endless.tiff": _tiff(grey, after=8),
        "offsets.tiff": _tiff([*grey, (273, 4, 0x7FFFFFFF, 8), (279, 4, 0x7FFFFFFF, 8)]),
        "strips.tiff": _tiff([(256, 4, 1, 0xFFFFFFFF), (257, 4, 1, 0xFFFFFFFF), *grey[2:]]),
        "samples.tiff": _tiff([*grey, (277, 3, 1, 65535), (273, 4, 1, 8)]),
        "big.bmp": good["colour.bmp"][:18] + struct.pack("<ii", 2**31 - 1, 2**31 - 1) + good["colour.bmp"][26:],
        "upside.bmp": good["colour.bmp"][:18] + struct.pack("<ii", -(2**31), -(2**31)) + good["colour.bmp"][26:],
        "size.webp": good["lossy.webp"][:4] + b"\xff\xff\xff\xff" + good["lossy.webp"][8:200],
        "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n(/etc/passwd) run\n",
        "program.png": b"\x7fELF" + bytes(200),
        "weights.png": struct.pack("<Q", 2) + b"{}",
        "pickle.png": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    }  # fmt: skip


def written(files: dict[str, bytes], folder: Path) -> dict[str, Path]:
    """The files in a folder."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in files}
