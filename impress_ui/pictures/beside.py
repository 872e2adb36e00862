"""What a picture's file holds beside its colours, and how a result gets it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image, ImageChops


@dataclass(frozen=True)
class Beside:
    """What a picture's file holds beside the colours that are seen.

    Attributes:
        shown: the colours as they are seen, on white, where some are transparent.
        colours: what they are without the white; ``alpha``: how much of them is seen.
        exif: its EXIF data, upright.
        dpi: its resolution.
    """

    shown: Image.Image | None = None
    colours: Image.Image | None = None
    alpha: Image.Image | None = None
    exif: bytes = b""
    dpi: tuple[float, float] | None = None

    def put_to(self, image: Image.Image) -> Image.Image:
        """What was made of ``shown``, transparent as the picture was: what changed is added to its own colours."""
        if self.alpha is None or self.shown is None or self.colours is None or image.size != self.alpha.size:
            return image
        added = ImageChops.add(self.colours, ImageChops.subtract(image, self.shown))
        result = ImageChops.subtract(added, ImageChops.subtract(self.shown, image))
        result.putalpha(self.alpha)
        return result

    def seen(self, image: Image.Image) -> Image.Image:
        """What a viewer on white sees of the file that ``put_to`` makes."""
        made = self.put_to(image)
        if made is image:
            return image
        return Image.composite(made.convert("RGB"), Image.new("RGB", made.size, "white"), made.getchannel("A"))

    @property
    def told(self) -> dict[str, Any]:
        """What Pillow's ``save`` takes of it."""
        return {name: value for name, value in (("exif", self.exif), ("dpi", self.dpi)) if value}


def exif_of(image: Image.Image) -> bytes:
    """The EXIF data of a file, for pixels that stand upright and are sRGB; none where they are damaged."""
    try:
        exif = image.getexif()
        exif.pop(ExifTags.Base.Orientation, None)
        camera = exif.get_ifd(ExifTags.IFD.Exif)
        if ExifTags.Base.ColorSpace in camera:
            camera[ExifTags.Base.ColorSpace] = 1
        return exif.tobytes() if exif else b""
    except MemoryError:
        raise
    except Exception:
        return b""


def dpi_of(image: Image.Image) -> tuple[float, float] | None:
    """The resolution that the file tells, where it makes sense."""
    try:
        across, down = (float(value) for value in image.info["dpi"])
        return (across, down) if 1 <= across <= 1e5 and 1 <= down <= 1e5 else None
    except Exception:
        return None


def beside_of(image: Image.Image, shown: Image.Image, colours: Image.Image, alpha: Image.Image | None) -> Beside:
    """What the file of a loaded image holds beside what is shown of it."""
    some = alpha is not None
    exif = image.info.get("exif", b"")
    return Beside(shown if some else None, colours if some else None, alpha, exif, dpi_of(image))
