"""Make an experiment's contact sheet one of the pictures in docs: ``python docs/to_webp.py SHEET.png NAME``.

The sheets that an experiment writes are lossless, since they are looked at for their grain; an illustration is not.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image


def main(sheet: str, name: str) -> None:
    """Write docs/NAME.webp."""
    with Image.open(sheet) as image:
        image.convert("RGB").save(Path(__file__).parent / f"{name}.webp", quality=85, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
