"""An exploration as SVG: a map for two axes, a curve for one; the figures stand in it, so that no colour is needed."""

from __future__ import annotations

import math
from html import escape

from impress_ui.charts.ticks import round_ticks
from impress_ui.measures.grid import Grid, GridCell
from impress_ui.settings import MEASURES
from impress_ui.settings.sweep import is_wide

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 560, 76, 18, 18, 52
ROW = 58  # height of a map's row
CURVE_HEIGHT, MARGIN = 300, 26  # of a curve; its ends keep off the frame
# One colour, the more the stronger, but never so strong that the figure on it could not be read.
FAINT, STRONG = 0.06, 0.55
# What a page's style sheet gives; a file on its own brings this along.
STYLE = """svg{font-family:sans-serif;background:#fff}.frame{fill:#fff;stroke:#bbb}.grid{stroke:#e3e3e3}
.tick,.axis{fill:#555;font-size:12px}.heat{fill:#117065}.empty{fill:none;stroke:#bbb;stroke-dasharray:3 4}
.value{fill:#111;font-size:14px}.near{fill:none;stroke:#111;stroke-width:2.5}
.far{fill:none;stroke:#111;stroke-width:2;stroke-dasharray:6 4}.line{fill:none;stroke:#117065;stroke-width:2.2}
.dot{fill:#117065}.on-line{paint-order:stroke;stroke:#fff;stroke-width:4px}"""


def chart(grid: Grid, measure: str, *, alone: bool = False) -> str:
    """The map or the curve of one measure; ``alone`` makes it a file of its own."""
    two = len(grid.axes) == 2
    height = TOP + BOTTOM + ROW * len(grid.axes[1].values) if two else CURVE_HEIGHT
    inside = _map(grid, measure, height) if two else _curve(grid, measure)
    about = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    style = f"<style>{STYLE}</style>" if alone else ""
    words = escape(grid.verdict(measure))
    return (
        f'<svg{about} class="explored" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{words}">'
        f"{style}{inside}</svg>"
    )


def _map(grid: Grid, measure: str, height: int) -> str:
    first, second = grid.axes
    about, ends = MEASURES[measure], grid.ends(measure)
    values = [value for done in grid.cells if (value := done.figures[measure]) is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    width = (WIDTH - LEFT - RIGHT) / len(first.values)
    parts = []
    for column, x in enumerate(first.values):
        left = LEFT + column * width
        centre = left + width / 2
        parts.append(_text("tick", "middle", centre, height - BOTTOM + 18, f"{x:g}"))
        for row, y in enumerate(second.values):
            top = TOP + (len(second.values) - 1 - row) * ROW
            box = f'x="{left + 1.5:.1f}" y="{top + 1.5}" width="{width - 3:.1f}" height="{ROW - 3}" rx="3"'
            done = grid.at(x, y)
            if done is None:
                parts.append(f'<rect class="empty" {box}/>')
                continue
            value = done.figures[measure]
            share = 0.0 if value is None or high == low else (value - low) / (high - low)
            parts.append(f'<rect class="heat" {box} fill-opacity="{FAINT + share * (STRONG - FAINT):.3f}"/>')
            parts.append(_text("value", "middle", centre, top + ROW / 2 + 5, about(value)))
            if mark := _mark(done, ends):
                parts.append(f'<rect class="{mark}" {box}/>')
    for row, y in enumerate(second.values):
        middle = TOP + (len(second.values) - 0.5 - row) * ROW + 4
        parts.append(_text("tick", "end", LEFT - 8, middle, f"{y:g}"))
    side = f'transform="translate(16 {(TOP + height - BOTTOM) / 2:.1f}) rotate(-90)"'
    parts.append(f'<text class="axis" text-anchor="middle" {side}>{escape(second.label)}</text>')
    return "".join(parts) + _text("axis", "middle", (LEFT + WIDTH - RIGHT) / 2, height - 10, first.label)


def _curve(grid: Grid, measure: str) -> str:
    (axis,) = grid.axes
    about, ends = MEASURES[measure], grid.ends(measure)
    drawn = [(x, grid.at(x)) for x in axis.values]
    known = [(x, done, value) for x, done in drawn if done is not None and (value := done.figures[measure]) is not None]
    values = [value for _, _, value in known]
    ticks = round_ticks(_padded(min(values, default=0.0), max(values, default=1.0)))
    low, high = ticks[0], ticks[-1]
    log = is_wide(axis.values[0], axis.values[-1])
    start, end = (math.log(v) if log else float(v) for v in (axis.values[0], axis.values[-1]))
    bottom, right = CURVE_HEIGHT - BOTTOM, WIDTH - RIGHT

    def across(value: float) -> float:
        share = 0.5 if end == start else ((math.log(value) if log else value) - start) / (end - start)
        return LEFT + MARGIN + (right - LEFT - 2 * MARGIN) * share

    def up(value: float) -> float:
        return TOP + (bottom - TOP) * (high - value) / (high - low)

    parts = [f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{bottom - TOP}"/>']
    for value in ticks:
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{up(value):.1f}" y2="{up(value):.1f}"/>')
        parts.append(_text("tick", "end", LEFT - 8, up(value) + 4, about(value)))
    parts += [_text("tick", "middle", across(x), bottom + 18, f"{x:g}") for x in axis.values]
    points = " ".join(f"{across(x):.1f},{up(value):.1f}" for x, _, value in known)
    parts.append(f'<polyline class="line" points="{points}"/>')
    for x, done, value in known:
        at = f'cx="{across(x):.1f}" cy="{up(value):.1f}"'
        parts.append(f'<circle class="dot" {at} r="4.5"/>')
        # The figure stands above its point, or below where the frame ends.
        parts.append(
            _text("value on-line", "middle", across(x), up(value) + (-12 if up(value) > TOP + 28 else 24), about(value))
        )
        if mark := _mark(done, ends):
            parts.append(f'<circle class="{mark}" {at} r="8.5"/>')
    words = f"{axis.label}, logarithmic" if log else axis.label
    return "".join(parts) + _text("axis", "middle", (LEFT + right) / 2, CURVE_HEIGHT - 10, words)


def _text(kind: str, anchor: str, x: float, y: float, words: str) -> str:
    return f'<text class="{kind}" text-anchor="{anchor}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _mark(done: GridCell, ends: tuple[GridCell, GridCell] | None) -> str:
    """The class of the ring about an end; none while there is but one cell."""
    if ends is None or ends[0] is ends[1]:
        return ""
    return "near" if done is ends[0] else "far" if done is ends[1] else ""


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 0.15 * (high - low) or 0.1 * abs(high) or 0.1
    return (max(0.0, low - room) if low >= 0 else low - room), high + room
