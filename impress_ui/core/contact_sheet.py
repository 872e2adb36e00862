"""Labelled rows of pictures in one image, for reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def captioned_grid(path: Path, pictures: Mapping[str, Image.Image], columns: int = 5, width: int = 192) -> None:
    """Save pictures of one shape, each brought to a width under its name, in rows of so many."""
    first = next(iter(pictures.values()))
    cell = width + MARGIN, round(width * first.height / first.width) + HEADER
    lines = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (min(columns, len(pictures)) * cell[0] + MARGIN, lines * cell[1] + MARGIN), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, (name, picture) in enumerate(pictures.items()):
        left, top = MARGIN + number % columns * cell[0], number // columns * cell[1]
        draw.text((left, top + 3), name, fill="black", font=font)
        sheet.paste(picture.resize((width, cell[1] - HEADER), Image.Resampling.NEAREST), (left, top + HEADER))
    sheet.save(path)
