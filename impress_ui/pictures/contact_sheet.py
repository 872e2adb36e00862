"""Labelled rows of pictures in one image, for reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

MARGIN, LINE = 6, 18  # pixels around pictures, and of a line of a label
FONT = ImageFont.load_default(15)


def contact_sheet(
    path: Path,
    labels: Sequence[str],
    rows: Sequence[Sequence[Image.Image]],
    width: int = 192,
    names: Sequence[str] = (),
) -> None:
    """Save rows of pictures of one shape, each brought to a width, under one label a column.

    Args:
        names: of the rows, at their left; none without them.
    """
    first = rows[0][0]
    height = round(width * first.height / first.width)
    labels, header = _headers(labels, width)
    side = max((math.ceil(FONT.getlength(name)) + MARGIN for name in names), default=0)
    size = (side + len(labels) * (width + MARGIN) + MARGIN, len(rows) * (height + MARGIN) + header + MARGIN)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for column, label in enumerate(labels):
        draw.text((MARGIN + side + column * (width + MARGIN), 3), label, fill="black", font=FONT)
    for line, pictures in enumerate(rows):
        top = header + line * (height + MARGIN)
        if names:
            draw.text((MARGIN, top + height / 2), names[line], fill="black", font=FONT, anchor="lm")
        for column, picture in enumerate(pictures):
            # Nearest keeps the pixels' grain visible, which is what such a sheet is looked at for.
            tile = picture.resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(tile, (MARGIN + side + column * (width + MARGIN), top))
    sheet.save(path)


def captioned_grid(path: Path, pictures: Mapping[str, Image.Image], columns: int = 5, width: int = 192) -> None:
    """Save pictures of one shape, each brought to a width under its name, in rows of so many."""
    first = next(iter(pictures.values()))
    names, header = _headers(list(pictures), width)
    cell = width + MARGIN, round(width * first.height / first.width) + header
    lines = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (min(columns, len(pictures)) * cell[0] + MARGIN, lines * cell[1] + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, picture) in enumerate(zip(names, pictures.values(), strict=True)):
        left, top = MARGIN + number % columns * cell[0], number // columns * cell[1]
        draw.text((left, top + 3), name, fill="black", font=FONT)
        sheet.paste(picture.resize((width, cell[1] - header), Image.Resampling.NEAREST), (left, top + header))
    sheet.save(path)


def _headers(labels: Sequence[str], width: int) -> tuple[list[str], int]:
    """The labels with line breaks where they would run into the next column, and the height that they take."""
    broken = [_broken(label, width) for label in labels]
    return broken, max(label.count("\n") + 1 for label in broken) * LINE + MARGIN


def _broken(label: str, width: int) -> str:
    lines = [""]
    for word in label.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and FONT.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)
