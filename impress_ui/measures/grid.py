"""Grids over settings: their cells, and what a cell's protection is worth before and after its purification.

The page's Explore section and the ablation measure a cell alike:

    strength    ||E(x_adv) - E(x)|| / ||E(x)||                  what the protection does to the latent
    left        ||E(x_pur) - E(x)|| / ||E(x_adv) - E(x)||       the share of it that the purification leaves
    cost        LPIPS(x_adv, x)                                 what the protection costs the picture
    lpips, ssim, psnr of x_pur against x                        what protection and purification together cost it
    round_trip  mean((V(x_adv) - x_adv)^2)                      what gives the protection away

Their words are in ``settings.explore.MEASURES``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from impress_ui.measures.metrics import encode_picture, latent_distance, lpips, measure, round_trip_error
from impress_ui.measures.stress_rows import NOTHING, share_left
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import to_tensor
from impress_ui.settings.explore import MEASURES
from impress_ui.settings.sweep import Axis, Cell, label_of

Figures = dict[str, float | None]

# What the two ends are called: the one nearest to the original first.
ENDS = {
    "left": ("best for the purifier,", "best for the protection,"),
    "strength": ("weakest,", "strongest,"),
    "cost": ("least,", "most,"),
    "lpips": ("best,", "worst,"),
    "ssim": ("best,", "worst,"),
    "psnr": ("best,", "worst,"),
    "round_trip": ("least,", "most,"),
}


@dataclass(frozen=True)
class GridCell:
    """The values of the varied settings by dotted name, what was measured there, and the seconds that it took."""

    cell: Cell
    figures: Figures
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {**self.cell, **self.figures, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Grid:
    """The axes, and those of their cells that are done; plain data."""

    axes: tuple[Axis, ...]
    cells: list[GridCell] = field(default_factory=list)

    def at(self, *values: Any) -> GridCell | None:
        """The cell of those values in the order of the axes, if it is done."""
        return next((done for done in self.cells if tuple(done.cell.values()) == values), None)

    def ends(self, measure: str) -> tuple[GridCell, GridCell] | None:
        """(nearest to the original, farthest) by a measure; None where no cell has it."""
        known = [
            (value, number) for number, done in enumerate(self.cells) if (value := done.figures[measure]) is not None
        ]
        if not known:
            return None
        low, high = self.cells[min(known)[1]], self.cells[max(known)[1]]
        return (low, high) if MEASURES[measure].less_is_nearer else (high, low)

    def verdict(self, measure: str) -> str:
        """The two ends of a measure, in words."""
        about, ends = MEASURES[measure], self.ends(measure)
        if ends is None:
            return f"{about.label}: {'it is defined nowhere here' if self.cells else 'nothing is measured yet'}."
        values = [done.figures[measure] for done in ends]
        if values[0] == values[1]:
            return f"{about.label}: {about(values[0])} in every cell."
        told = [
            f"{word} {about(value)} at {words_of(done.cell)}"
            for word, value, done in zip(ENDS[measure], values, ends, strict=True)
        ]
        return f"{about.label}: {'; '.join(told)}."


def words_of(cell: Cell) -> str:
    """A cell in words: 'Budget ε 8, Trust radius 24'."""
    return ", ".join(f"{label_of(name)} {value:g}" for name, value in cell.items())


def figures_of(
    original: Image.Image, protected: Image.Image, purified: Image.Image, autoencoder: Autoencoder
) -> Figures:
    """The figures above of three RGB pictures of one size; ``left`` is None where the protection moved nothing."""
    distance = distances_to(original, autoencoder)
    strength = distance(protected)
    result = measure(purified, original)
    x = to_tensor(protected, autoencoder.device)
    return {
        "left": share_left(distance(purified), strength, 0.0, NOTHING["latent"]),
        "strength": strength,
        "cost": lpips(protected, original),
        "lpips": result.lpips,
        "ssim": result.ssim,
        "psnr": result.psnr,
        "round_trip": round_trip_error(x, autoencoder).item(),
    }


def distances_to(original: Image.Image, autoencoder: Autoencoder) -> Callable[[Image.Image], float]:
    """||E(x) - E(original)|| / ||E(original)|| as a function of the picture x."""
    reference = encode_picture(original, autoencoder)
    return lambda image: latent_distance(encode_picture(image, autoencoder), reference)
