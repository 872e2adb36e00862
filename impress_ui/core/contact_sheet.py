"""Labelled rows of pictures in one image, for reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

MARGIN, HEADER = 6, 24


def contact_sheet(path: Path, labels: Sequence[str], rows: Sequence[Sequence[Image.Image]], width: int = 192) -> None:
    """Save rows of pictures of one shape, each brought to a width, under one label a column."""
    first = rows[0][0]
    height = round(width * first.height / first.width)
    size = (len(labels) * (width + MARGIN) + MARGIN, len(rows) * (height + MARGIN) + HEADER + MARGIN)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for column, label in enumerate(labels):
        draw.text((MARGIN + column * (width + MARGIN), 3), label, fill="black", font=font)
    for line, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            # Nearest keeps the pixels' grain visible, which is what such a sheet is looked at for.
            tile = picture.resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(tile, (MARGIN + column * (width + MARGIN), HEADER + line * (height + MARGIN)))
    sheet.save(path)
