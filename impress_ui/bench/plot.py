"""Lines over two axes as an SVG file, logarithmic where asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Series = Mapping[str, Sequence[tuple[float, float]]]
WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 44, 48
COLOURS = ("#117065", "#b06f0c", "#3b5bdb", "#9c36b5")
STYLE = "svg{font-family:sans-serif;font-size:12px;background:#fff}text{fill:#333}"


def lines(title: str, across: str, up: str, series: Series, *, log_y: bool = False) -> str:
    """One chart: the x axis is logarithmic, the y axis too on request; every point is marked."""
    points = [point for drawn in series.values() for point in drawn]
    x = _scale([p[0] for p in points], LEFT, WIDTH - RIGHT, log=True)
    y = _scale([p[1] for p in points], HEIGHT - BOTTOM, TOP, log=log_y)
    parts = [f'<text x="{LEFT}" y="16" font-weight="bold">{escape(title)}</text>']
    parts += [_tick_x(x, value) for value in x.ticks] + [_tick_y(y, value) for value in y.ticks]
    parts.append(f'<text text-anchor="middle" x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}">{escape(across)}</text>')
    parts.append(f'<text text-anchor="middle" transform="translate(14 {HEIGHT / 2}) rotate(-90)">{escape(up)}</text>')
    for number, ((name, drawn), colour) in enumerate(zip(series.items(), COLOURS, strict=False)):
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in drawn)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in drawn]
        at = LEFT + number * (WIDTH - LEFT - RIGHT) / max(1, len(series))
        parts.append(f'<circle cx="{at + 4:.0f}" cy="30" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{at + 12:.0f}" y="34">{escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}"><style>{STYLE}</style>{"".join(parts)}</svg>\n'
    )


class _scale:
    """Values to pixels, with round ticks at both ends."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool) -> None:
        self.log = log and min(values) > 0
        low, high = min(values), max(values)
        if self.log:
            marks = [
                m * 10.0**p
                for p in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
                for m in (1, 2, 5)
            ]
        else:
            unit = 10.0 ** math.floor(math.log10(max(high - low, 1e-9)))
            unit = next(unit * f for f in (0.1, 0.2, 0.5, 1.0, 2.0) if (high - low) / (unit * f) <= 6)
            marks = [unit * n for n in range(math.floor(low / unit), math.ceil(high / unit) + 1)]
        below = max((m for m in marks if m <= low * (1 + 1e-9)), default=marks[0])
        above = min((m for m in marks if m >= high * (1 - 1e-9)), default=marks[-1])
        self.low, self.high = self._of(below), self._of(above if above > below else below + 1)
        self.ticks = [m for m in marks if below <= m <= above]
        if len(self.ticks) > 8:
            self.ticks = [m for m in self.ticks if f"{m:e}".startswith("1")]
        self.start, self.end = start, end

    def _of(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def __call__(self, value: float) -> float:
        return self.start + (self.end - self.start) * (self._of(value) - self.low) / (self.high - self.low)


def _tick_x(x: _scale, value: float) -> str:
    return (
        f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#e3e3e3"/>'
        f'<text text-anchor="middle" x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 16}">{value:g}</text>'
    )


def _tick_y(y: _scale, value: float) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e3e3e3"/>'
        f'<text text-anchor="end" x="{LEFT - 6}" y="{y(value) + 4:.1f}">{value:g}</text>'
    )
