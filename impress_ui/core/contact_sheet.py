"""Labelled rows of pictures in one image, for reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

MARGIN, HEADER = 6, 24


def contact_sheet(path: Path, labels: Sequence[str], rows: Sequence[Sequence[Image.Image]], side: int = 192) -> None:
    """Save rows of pictures, each enlarged or reduced to a square cell, under one label a column."""
    cell = side + MARGIN
    sheet = Image.new("RGB", (len(labels) * cell + MARGIN, len(rows) * cell + HEADER + MARGIN), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for column, label in enumerate(labels):
        draw.text((MARGIN + column * cell, 3), label, fill="black", font=font)
    for line, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            # Nearest keeps the pixels' grain visible, which is what such a sheet is looked at for.
            tile = picture.resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(tile, (MARGIN + column * cell, HEADER + line * cell))
    sheet.save(path)
