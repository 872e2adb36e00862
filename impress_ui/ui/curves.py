"""Loss curves as inline SVG: cheap to send and to draw, and they follow the page's colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from impress_ui.charts.ticks import TINY, round_ticks
from impress_ui.methods.protections import PROTECTIONS

MAX_POINTS = 200
WIDTH, HEIGHT = 320, 200
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 28

Point = tuple[int, float]
OTHER = " (other)"


@dataclass(frozen=True)
class Panel:
    """One chart: which series it draws, in which words, on which scale."""

    title: str
    series: Mapping[str, str]  # name of the loss -> words for the legend
    log: bool


PANELS = (
    Panel(
        "Attack",
        {name: words for protection in PROTECTIONS.values() for name, words in protection.curves.items()},
        log=False,
    ),
    Panel(
        "Against IMPRESS",
        {"round-trip error": "round-trip error, mean (V(x) − x)²", "IMPRESS loss": "IMPRESS’s whole loss"},
        log=True,
    ),
    Panel(
        "Purification",
        {
            "total": "total loss",
            "consistency": "consistency, mean (V(x) − x)²",
            "fidelity": "fidelity, mean (x − x_adv)²",
            "smoothness": "smoothness, TV(x)",
        },
        log=True,
    ),
    Panel("Similarity", {"similarity": "max(LPIPS(x, x_adv) − Δ_L, 0)"}, log=False),
)
# Those of the default protection alone are announced before there is one.
RARE = {*PANELS[0].series, *PANELS[1].series} - {"latent distance"}
# Which losses are drawn of which kind of run; an attack's total is its latent distance.
SERIES = {
    "protect": {name for panel in PANELS[:2] for name in panel.series},
    "purify": {name for panel in PANELS[2:] for name in panel.series},
}


def decimate(values: Sequence[float], limit: int = MAX_POINTS) -> list[Point]:
    """At most ``limit`` points (index, value) that keep the first, the last and the extremes of every bin.

    Values that are not finite are left out.
    """
    points = [(index, value) for index, value in enumerate(values) if math.isfinite(value)]
    if len(points) <= limit:
        return points
    inner = points[1:-1]
    bins = (limit - 2) // 2
    kept = {points[0], points[-1]}
    for number in range(bins):
        part = inner[number * len(inner) // bins : (number + 1) * len(inner) // bins]
        kept.add(min(part, key=lambda point: point[1]))
        kept.add(max(part, key=lambda point: point[1]))
    return sorted(kept)


def charts(curves: Mapping[str, Sequence[float]], steps: Mapping[str, int]) -> str:
    """The panels as HTML, without those that only an adaptive protection fills.

    ``steps`` gives the length of each series' whole run, so that axes never jump.
    """
    shown = [panel for panel in PANELS if any(name not in RARE or curves.get(name) for name in panel.series)]
    return f'<div class="charts">{"".join(chart(panel, curves, steps) for panel in shown)}</div>'


def chart(panel: Panel, curves: Mapping[str, Sequence[float]], steps: Mapping[str, int]) -> str:
    """One panel as HTML."""
    drawn = {name: decimate(curves[name]) for name in panel.series if curves.get(name)}
    last = max((steps.get(name, 1) for name in panel.series), default=1)
    legend = "".join(
        f'<span class="key key-{_slug(name)}">{escape(words)}'
        f"{f' <b>{_number(drawn[name][-1][1])}</b>' if drawn.get(name) else ''}</span>"
        for name, words in panel.series.items()
        if name in drawn or (not drawn and name not in RARE)  # a term of weight 0 is not computed
    )
    scale = " <small>logarithmic</small>" if panel.log else ""
    return (
        f'<figure class="chart"><figcaption><strong>{escape(panel.title)}{scale}</strong>{legend}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_summary(panel, drawn))}">'
        f"{_plot(drawn, max(1, last), panel.log) if any(drawn.values()) else _empty()}</svg></figure>"
    )


def _empty() -> str:
    return (
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"/>'
        f'<text class="tick" text-anchor="middle" x="{(LEFT + WIDTH) // 2}" y="{HEIGHT // 2}">'
        "drawn while it runs</text>"
    )


def _plot(drawn: Mapping[str, Sequence[Point]], last: int, log: bool) -> str:
    values = [value for points in drawn.values() for _, value in points]
    ticks = _log_ticks(values) if log else round_ticks(values)
    low, high = ticks[0], ticks[-1]

    def x(index: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * index / last

    def y(value: float) -> float:
        if log:
            share = (math.log10(max(value, low)) - math.log10(low)) / (math.log10(high) - math.log10(low))
        else:
            share = (value - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [_empty().split("<text")[0]]
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(
            f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{y(tick) + 4:.1f}">{_number(tick)}</text>'
        )
    for index in sorted({0, last // 2, last}):
        anchor = "end" if index == last else "middle"
        words = f"{index} steps" if index == last else index
        parts.append(f'<text class="tick" text-anchor="{anchor}" x="{x(index):.1f}" y="{HEIGHT - 10}">{words}</text>')
    for name, points in drawn.items():
        if points:
            path = " ".join(f"{x(index):.1f},{y(value):.1f}" for index, value in points)
            parts.append(f'<polyline class="line line-{_slug(name)}" points="{path}"/>')
            index, value = points[-1]
            parts.append(f'<circle class="dot dot-{_slug(name)}" cx="{x(index):.1f}" cy="{y(value):.1f}" r="3.5"/>')
    return "".join(parts)


def _log_ticks(values: Sequence[float]) -> list[float]:
    """Powers of ten about the values, with 3s between them when there would be fewer than three."""
    positive = [value for value in values if value > TINY] or [1.0]
    first, last = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    # log10 rounds: just below a power of ten it may give that power, just above it too.
    first -= 10.0**first > min(positive)
    last += 10.0**last < max(positive)
    last = max(last, first + 1)
    if last - first > 2:
        stride = math.ceil((last - first) / 5)
        return [10.0**power for power in range(first, last + stride, stride)]
    marks = sorted(factor * 10.0**power for power in range(first, last + 1) for factor in (1, 3))[:-1]
    below = max(mark for mark in marks if mark <= min(positive))
    above = min((mark for mark in marks if mark >= max(positive)), default=marks[-1])
    return [mark for mark in marks if below <= mark <= above] if above > below else [below, below * 10]


def _summary(panel: Panel, drawn: Mapping[str, Sequence[Point]]) -> str:
    """The chart in words, for those who cannot see it."""
    told = [
        f"{panel.series[name]}: from {_number(points[0][1])} to {_number(points[-1][1])} at step {points[-1][0]}"
        for name, points in drawn.items()
        if points
    ]
    return f"{panel.title}. " + ("; ".join(told) if told else "Nothing to draw yet.")


def _number(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.0e}".replace("e-0", "e−") if abs(value) < 1e-3 else f"{value:.3g}"


def other(name: str) -> str:
    """The name of a second run's series, which is drawn dashed in the first one's colour."""
    return f"{name}{OTHER}"


def _slug(name: str) -> str:
    """The class of a series; a second run's has the first one's, and one more."""
    return name.removesuffix(OTHER).replace(" ", "-") + (" other" if name.endswith(OTHER) else "")
