"""Opening and checking pictures, the size policy, tensors, and PNG files that carry their settings."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError, features
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.pictures.beside import Beside, beside_of, exif_of
from impress_ui.pictures.colours import to_srgb
from impress_ui.pictures.declaration import XMP_KEY, declaration_of
from impress_ui.pictures.files import written_whole
from impress_ui.pictures.metadata import as_text

AVIF = ("AVIF",) if features.check("avif") else ()
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", *AVIF)
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif", ".heic", ".heif"}
)
NAMES = "PNG, JPEG, WebP, AVIF, GIF, TIFF or BMP"
SEVERAL = ("MPO", "AVIF", "HEIF")  # formats whose first picture is the picture
MAX_PIXELS = 50_000_000
MIN_SIDE = 32  # AlexNet's LPIPS needs 31
MAX_METADATA = 1_000_000
METADATA_KEY = "impress"
# Grey levels per unit of the [-1, 1] pixel range: the one conversion between budgets and tensors.
LEVELS_PER_UNIT = 127.5


@dataclass(frozen=True)
class Picture:
    """An opened picture: 8-bit RGB, upright, with a sentence for each thing that was done to make it so."""

    image: Image.Image
    notes: tuple[str, ...] = ()
    opened: tuple[int, int] | None = None  # (width, height) before it was reduced
    beside: Beside | None = None  # what its file holds beside the colours

    def noted(self, *notes: str) -> Picture:
        """The same picture with more sentences."""
        return replace(self, notes=(*self.notes, *notes))

    def showing(self, image: Image.Image) -> Picture:
        """The same with another image of it."""
        return replace(self, image=image)


def open_picture(path: str | Path) -> Picture:
    """Open and check a picture file.

    Raises:
        UserError: not a picture of a known format, damaged, too large, too small or animated.
    """
    path = Path(path)
    image, turned = loaded(path)
    with _decoding(path):
        rgb, notes, colours, alpha = to_srgb(image)
    upright = ["Turned upright as its EXIF orientation says."] if turned else []
    return Picture(rgb, (*upright, *notes), rgb.size, beside_of(image, rgb, colours, alpha))


def with_target(picture: Picture, path: str | Path | None) -> tuple[Picture, Image.Image | None]:
    """The picture with what was done to its target among its own notes, and that target, where there is one."""
    if not path:
        return picture, None
    target = open_picture(path)
    return picture.noted(*(f"Target: {note}" for note in target.notes)), target.image


def loaded(path: Path) -> tuple[Image.Image, bool]:
    """The picture of a file, upright but in its own mode, and whether it was turned; checks as ``open_picture`` does.

    Raises:
        UserError: as there.
    """
    if not path.is_file():  # a pipe would be waited for without end
        if path.is_dir():
            raise UserError(f"{path.name} is a folder, not a picture.")
        raise UserError(f"There is no file {path.name}; check the path.")
    with _decoding(path):
        known = (*FORMATS, *_heif(path))
        with Image.open(path, formats=known) as image:
            _check_size(path, image)
            # Not their number: counting them reads the whole file. A phone's JPEG may hold more pictures (MPO).
            if getattr(image, "is_animated", False) and image.format not in SEVERAL:
                raise UserError(f"{path.name} is animated or has several pages; save one of them as PNG and use that.")
            deep = any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
            image.load()
            upright, turned = _upright(image)
            upright.info |= {"impress_deep": deep, "exif": exif_of(image)}
            return upright, turned


@contextlib.contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Whatever a decoder raises of a file becomes one sentence about it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit on pixels is lower than Pillow's and checked
            yield
    except (UserError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise UserError(f"{path.name} is too large; reduce it below {MAX_PIXELS // 10**6} megapixels.") from None
    except UnidentifiedImageError:
        raise UserError(f"{path.name} is not a picture that can be read; use {NAMES}.") from None
    except Exception as error:  # decoders raise many kinds on damaged files
        raise UserError(
            f"{path.name} is damaged or cut short ({type(error).__name__}); save it again and retry."
        ) from None


def _heif(path: Path) -> tuple[str, ...]:
    """The format of a phone's HEIC, where the file is one: Pillow reads it by a package of its own.

    Raises:
        UserError: the package is not there.
    """
    with path.open("rb") as stream:
        head = stream.read(12)
    if head[4:8] != b"ftyp" or head[8:] not in HEIF_BRANDS:
        return ()
    try:
        import pillow_heif
    except ImportError:
        raise UserError(
            f"{path.name} is a HEIC picture, for which one more package is needed: pip install pillow-heif. "
            "Or save it as JPEG or PNG."
        ) from None
    pillow_heif.register_heif_opener()
    return ("HEIF",)


def _check_size(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        megapixels = width * height / 1e6
        raise UserError(f"{path.name} has {megapixels:.0f} megapixels; reduce it below {MAX_PIXELS // 10**6}.")
    if min(width, height) < MIN_SIDE:
        raise UserError(f"{path.name} is {width}x{height}; both sides must have at least {MIN_SIDE} pixels.")


def _upright(image: Image.Image) -> tuple[Image.Image, bool]:
    """The picture turned as its EXIF data say, and whether it was; damaged EXIF data say nothing."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
        return ImageOps.exif_transpose(image), turned
    except MemoryError:
        raise
    except Exception:
        return image, False


def working_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) with the longest side at most ``longest``, the aspect ratio kept, never enlarged."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def fit(picture: Picture, longest: int) -> Picture:
    """The picture at its working size; a note says so when it was reduced.

    Raises:
        UserError: so elongated that its short side would fall below ``MIN_SIDE``.
    """
    size = working_size(picture.image.size, longest)
    if min(size) < MIN_SIDE:
        raise UserError(
            f"At a working size of {longest} this picture would be {size[0]}x{size[1]}; "
            f"crop it or choose a larger size, so that both sides keep {MIN_SIDE} pixels."
        )
    if size == picture.image.size:
        return picture
    note = f"Reduced from {picture.image.width}x{picture.image.height} to {size[0]}x{size[1]} pixels."
    return replace(picture.noted(note), image=picture.image.resize(size, Image.Resampling.LANCZOS))


def to_tensor(images: Image.Image | Sequence[Image.Image], device: str = "cpu") -> Tensor:
    """RGB pictures of one size as (B, 3, H, W) float32 in [-1, 1]."""
    batch = [images] if isinstance(images, Image.Image) else list(images)
    arrays = np.stack([np.asarray(image.convert("RGB")) for image in batch])
    return (torch.from_numpy(arrays).permute(0, 3, 1, 2).float() / LEVELS_PER_UNIT - 1).to(device)


def to_levels(x: Tensor) -> Tensor:
    """Grey levels 0..255, rounded and clamped, of a tensor in [-1, 1]; still float32."""
    return ((x + 1) * LEVELS_PER_UNIT).round().clamp(0, 255)


def quantise(x: Tensor) -> Tensor:
    """What an 8-bit file keeps of x in [-1, 1]."""
    return to_levels(x) / LEVELS_PER_UNIT - 1


def to_images(x: Tensor) -> list[Image.Image]:
    """8-bit RGB pictures of a batch (B, 3, H, W) in [-1, 1].

    Raises:
        UserError: it holds values that are no numbers, which would be black in a file.
    """
    if not bool(x.isfinite().all()):
        raise UserError(
            "What was made is no picture: it holds values that are no numbers. Choose the precision float32, or "
            "another checkpoint."
        )
    arrays = to_levels(x.detach().float().cpu()).byte().permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(np.ascontiguousarray(array)) for array in arrays]


def save_png(
    image: Image.Image, path: str | Path, metadata: dict[str, Any] | None = None, beside: Beside | None = None
) -> Path:
    """Write a lossless PNG whose text chunk 'impress' holds the metadata as JSON; returns the path.

    A protected picture's says what ``run.declare`` wants declared, too, as XMP.
    ``beside``: what the picture that it was made of held beside its colours, which is put to it.
    """
    info = PngInfo()
    if metadata is not None:
        info.add_itxt(METADATA_KEY, as_text(metadata))
    declared = declaration_of(metadata)
    if declared is not None:
        info.add_itxt(XMP_KEY, declared)
    path = Path(path)
    with written_whole(path) as part:
        if beside is None:
            image.save(part, format="PNG", pnginfo=info)
        else:
            beside.put_to(image).save(part, format="PNG", pnginfo=info, **beside.told)
    return path


def read_metadata(path: str | Path) -> dict[str, Any] | None:
    """The metadata that ``save_png`` stored, or None; never trusted further than JSON."""
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG",)) as image:
                _check_size(path, image)  # the chunks after the pixels are read through them
                text = getattr(image, "text", {}).get(METADATA_KEY)
        data = json.loads(text) if text and len(text) <= MAX_METADATA else None
    except MemoryError:
        raise
    except Exception:  # no PNG, a damaged one, chunks that are no text, JSON nested without end
        return None
    return data if isinstance(data, dict) else None


@dataclass(frozen=True)
class Gathered:
    """The picture files of a folder in order of name, and of what looks like one and is left out the name and why."""

    files: list[Path]
    left_out: dict[str, str]


def gathered(path: str | Path) -> Gathered:
    """The picture files of a folder, or the file itself.

    Hidden files, as other systems leave beside pictures, and empty ones are left out.

    Raises:
        UserError: nothing there.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.exists():
            raise UserError(f"There is no file or folder {path.name}; check the path.")
        return Gathered([path], {})
    files: list[Path] = []
    left_out: dict[str, str] = {}
    for child in sorted(child for child in path.iterdir() if child.suffix.lower() in SUFFIXES):
        if child.name.startswith("."):
            left_out[child.name] = "hidden"
        elif not child.is_file():
            left_out[child.name] = "not a file"
        elif child.stat().st_size == 0:
            left_out[child.name] = "empty"
        else:
            files.append(child)
    if not files:
        inside = [child.name for child in sorted(path.iterdir()) if child.is_dir() and _holds_pictures(child)]
        if inside:
            raise UserError(f"The folder {path.name} holds no pictures itself; its folder {inside[0]} does: give that.")
        told = f" but {', '.join(f'{name} ({why})' for name, why in left_out.items())}" if left_out else ""
        raise UserError(f"The folder {path.name} holds no {NAMES} file{told}.")
    return Gathered(files, left_out)


def _holds_pictures(folder: Path) -> bool:
    try:
        return any(child.suffix.lower() in SUFFIXES for child in folder.iterdir())
    except OSError:
        return False


def pictures_in(path: str | Path) -> list[Path]:
    """The files of ``gathered``."""
    return gathered(path).files
