"""Charts of a table with matplotlib, as SVG whose text stays text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[Any, float, float | None]  # x, y, and the standard error of y
# Okabe and Ito's colours, told apart by the colour-blind too, without their yellow, which is faint on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7f7f7f")
MARKERS = "osD^vPX*"
HEIGHT = 4.2  # of a figure, in inches
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "impress",  # equal figures make equal files
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


class Chart(Protocol):
    """Something to draw, saved as ``EXPERIMENT_name.svg``."""

    name: str
    title: str

    def draw(self, axes: Axes) -> None:
        """Draw it, with its axes' labels."""


@dataclass(frozen=True)
class Lines:
    """Means over x with bars of one standard error, a line a label; ``joined=False`` leaves the points alone.

    Args:
        percent: y is a share.
        log_x, log_y: logarithmic axes.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[Point]]
    joined: bool = True
    percent: bool = False
    log_x: bool = False
    log_y: bool = False

    def draw(self, axes: Axes) -> None:
        for number, (label, points) in enumerate(self.lines.items()):
            xs, ys, errors = zip(*points, strict=True)
            colour = COLOURS[number % len(COLOURS)]
            marker = MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]  # of another colour the second time
            axes.errorbar(
                xs, ys, yerr=[error or 0.0 for error in errors] if any(errors) else None,
                label=label, color=colour, marker=marker,
                linestyle="-" if self.joined else "none", markersize=5, capsize=3, linewidth=1.6,
            )  # fmt: skip
        axes.set(xlabel=self.x, ylabel=self.y, xscale="log" if self.log_x else axes.get_xscale())
        if self.log_y:
            axes.set_yscale("log")
        if self.percent:
            axes.yaxis.set_major_formatter(_percent())
        values = list(dict.fromkeys(x for points in self.lines.values() for x, _, _ in points))
        few = len(values) <= 10 and all(isinstance(x, (int, float)) and len(f"{x:g}") <= 5 for x in values)
        if self.joined and few:
            axes.set_xticks(values, [f"{x:g}" for x in values])
            axes.minorticks_off()
        if len(self.lines) > 1:
            axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))


@dataclass(frozen=True)
class Bars:
    """A bar a label, with one standard error."""

    name: str
    title: str
    y: str
    bars: Sequence[Point]
    percent: bool = False

    @property
    def height(self) -> float:
        """In inches: enough for every label."""
        return max(HEIGHT, 1.2 + 0.22 * len(self.bars))

    def draw(self, axes: Axes) -> None:
        labels, ys, errors = zip(*self.bars, strict=True)
        axes.barh(labels, ys, xerr=[error or 0.0 for error in errors], color=COLOURS[0], height=0.6, capsize=3)
        axes.invert_yaxis()
        axes.margins(y=0.01)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(self.y)
        if self.percent:
            axes.xaxis.set_major_formatter(_percent())


@dataclass(frozen=True)
class HeatMap:
    """A value for each pair, written into its cell; None where it is not known.

    Args:
        values: a row for each of ``ys``, a column for each of ``xs``.
        form: how a value is written, such as ``.2f`` or ``.0%``.
    """

    name: str
    title: str
    x: str
    y: str
    xs: Sequence[Any]
    ys: Sequence[Any]
    values: Sequence[Sequence[float | None]]
    form: str = ".2f"

    def draw(self, axes: Axes) -> None:
        grid = np.array([[np.nan if value is None else value for value in row] for row in self.values], dtype=float)
        shown = axes.imshow(grid, cmap="viridis", aspect="auto")
        axes.grid(visible=False)
        axes.set_xticks(range(len(self.xs)), [_word(x) for x in self.xs])
        axes.set_yticks(range(len(self.ys)), [_word(y) for y in self.ys])
        axes.set(xlabel=self.x, ylabel=self.y)
        for (line, column), value in np.ndenumerate(grid):
            if np.isfinite(value):
                light = shown.norm(value) > 0.6
                colour = "black" if light else "white"
                axes.text(column, line, format(value, self.form), ha="center", va="center", color=colour)


def save_chart(chart: Chart, path: Path) -> None:
    """Write a chart as SVG; no screen is needed, and equal charts make equal files."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, getattr(chart, "height", HEIGHT)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        chart.draw(axes)
        figure.suptitle(chart.title, x=0.01, ha="left", fontsize=11)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=0)


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
