"""From whatever a file holds to 8-bit sRGB, with a sentence for each thing that was done on the way."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

SRGB = ImageCms.createProfile("sRGB")
# What white may be in a file of deep values, of which the smallest that holds them is taken.
WHOLE, FRACTIONS = (255.0, 65535.0), (1.0, 255.0)


def to_srgb(image: Image.Image) -> tuple[Image.Image, list[str], Image.Image, Image.Image | None]:
    """The loaded picture in 8-bit sRGB, what was done, its colours before they were shown on white, and its alpha.

    Profiles of colour (Adobe RGB, Display P3, a press's CMYK) are converted with relative colorimetry, as browsers do;
    a damaged one is left out, and said. Deeper values are rounded; transparent parts are shown on white.
    """
    notes = []
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
        notes.append("Reduced from 16 bits or more to 8 bits a channel.")
    elif _deep(image):
        notes.append("Reduced from 16 bits to 8 bits a channel.")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA") if image.mode not in ("RGBA", "LA") else image
        alpha = image.getchannel("A")
        alpha = None if alpha.getextrema() == (255, 255) else alpha
    colours, told = _colours(image)
    rgb, notes = colours, notes + told
    if alpha is not None:
        white = Image.new("RGB", rgb.size, "white")
        rgb = Image.composite(colours, white, alpha)
        notes.append("Transparent parts are shown on white.")
    rgb.info.clear()
    return rgb, notes, colours, alpha


def levels_of(image: Image.Image) -> tuple[np.ndarray, float]:
    """The values (H, W) of a picture of mode I or F, and which of them is white.

    What is below 0 or no number is black. Whole numbers that fit 8 or 16 bits are taken for such, fractions up to 1 for
    shares of white; in all others the largest value is white.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0).clip(min=0)
    top = float(values.max(initial=0.0))
    if image.mode.startswith("I;16"):
        return values, 65535.0
    return values, next((full for full in (FRACTIONS if image.mode == "F" else WHOLE) if top <= full), top)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey levels of 16 or 32 bits, or floats, as 8 bits."""
    values, full = levels_of(image)
    return Image.fromarray((values * (255 / full) + 0.5).clip(0, 255).astype(np.uint8))


def _deep(image: Image.Image) -> bool:
    """Whether the file has 16 bits a channel, of which Pillow keeps the upper ones of colour pictures."""
    return image.info.get("impress_deep", False)


def _colours(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """RGB by the picture's own profile, where it has one that says something else than sRGB."""
    notes = []
    given = image.info.get("icc_profile")
    plain = image.convert({"LA": "L", "PA": "RGB", "P": "RGB", "RGBA": "RGB"}.get(image.mode, image.mode))
    if given:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(given))
            name = ImageCms.getProfileDescription(profile).strip() or "its own colour profile"
            if "srgb" in name.lower().replace(" ", ""):
                return plain.convert("RGB"), notes
            intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
            made = ImageCms.profileToProfile(plain, profile, SRGB, renderingIntent=intent, outputMode="RGB")
            assert made is not None
            return made, [f"Converted from {name} to sRGB."]
        except (ImageCms.PyCMSError, OSError, ValueError):
            notes.append("Its colour profile cannot be used and was left out.")
    if plain.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        made = ImageCms.profileToProfile(plain, lab, SRGB, outputMode="RGB")
        assert made is not None
        return made, [*notes, "Converted from Lab to sRGB."]
    if plain.mode == "CMYK":
        notes.append("Converted from CMYK to RGB.")
    return plain.convert("RGB"), notes
