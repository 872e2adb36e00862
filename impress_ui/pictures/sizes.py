"""At which size a picture is taken: its working size, its own, or a square out of its middle."""

from __future__ import annotations

from PIL import Image

from impress_ui.pictures.images import Picture, fit


def at_size(picture: Picture, longest: int, *, whole: bool) -> Picture:
    """The picture at its working size, or, ``whole``, as it is, where a model can see it at its working size.

    Raises:
        UserError: as ``fit``.
    """
    fitted = fit(picture, longest)
    return picture if whole else fitted


def centre_square(image: Image.Image, side: int) -> Image.Image:
    """The largest square in the middle of the picture, reduced or enlarged to a side."""
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    square = image.crop((left, top, left + edge, top + edge))
    return square.resize((side, side), Image.Resampling.LANCZOS)
