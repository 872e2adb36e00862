from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from impress_ui.pictures.contact_sheet import captioned_grid, contact_sheet


def ink(path: Path, rows: slice) -> np.ndarray:
    """Which columns of these rows have something dark in them."""
    return (np.asarray(Image.open(path).convert("L"))[rows] < 128).any(axis=0)


def test_a_long_label_takes_lines_not_its_neighbour_s_place(tmp_path: Path) -> None:
    picture = Image.new("RGB", (20, 10), "white")
    contact_sheet(tmp_path / "sheet.png", ["a stained glass window in many words", ""], [[picture, picture]], width=60)
    assert (
        ink(tmp_path / "sheet.png", slice(None))[:66].any() and not ink(tmp_path / "sheet.png", slice(None))[67:].any()
    )
    contact_sheet(tmp_path / "short.png", ["a", "b"], [[picture, picture]], width=60)
    heights = [Image.open(tmp_path / name).height for name in ("sheet.png", "short.png")]
    assert heights[0] > heights[1]


def test_a_row_has_its_name_at_its_left(tmp_path: Path) -> None:
    white, red = (Image.new("RGB", (20, 20), colour) for colour in ("white", "red"))
    contact_sheet(tmp_path / "plain.png", ["a"], [[white], [red]], width=20)
    contact_sheet(tmp_path / "named.png", ["a"], [[white], [red]], width=20, names=["Cobalt", ""])
    plain, named = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("plain", "named"))
    side = named.shape[1] - plain.shape[1]
    assert side > 20 and plain.shape[0] == named.shape[0]
    assert np.array_equal(named[:, side:], plain)
    dark = (named[:, :side].min(axis=(1, 2)) < 128).nonzero()[0]
    tops = (plain == (255, 0, 0)).all(axis=2).any(axis=1).nonzero()[0]
    assert len(dark) and dark.max() < tops.min()  # beside the first row, and only there


def test_the_grid_puts_every_picture_below_its_name(tmp_path: Path) -> None:
    pictures = {name: Image.new("RGB", (20, 10), name) for name in ("red", "lime", "blue")}
    captioned_grid(tmp_path / "grid.png", pictures, columns=2, width=40)
    grid = Image.open(tmp_path / "grid.png").convert("RGB")
    found = {grid.getpixel((x, y)): (x, y) for x in range(grid.width) for y in range(grid.height)}
    red, lime, blue = (found[colour] for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
    assert red[1] == lime[1] < blue[1] and red[0] == blue[0] < lime[0]
