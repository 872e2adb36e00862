"""Loss curves as inline SVG: cheap to send and to draw, and they follow the page's colours."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from impress_ui.charts.ticks import TINY, round_ticks
from impress_ui.jobs.archive import losses_csv
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.ui.record import Ghost, Record

MAX_POINTS = 200
WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 42, 104, 8, 24
LINE = 13  # pixels from one label at the lines' ends to the next

Point = tuple[int, float]
Lines = Mapping[str, Sequence[Point]]
Scrub = Sequence[tuple[str, int, str]]  # a kind of run, a step of it, and the file of its picture
OTHER = " (other)"


@dataclass(frozen=True)
class Panel:
    """One chart: which series it draws, in which words, and whether its scale is logarithmic until it is clicked."""

    title: str
    series: Mapping[str, str]  # name of the loss -> what it is
    log: bool
    idle: tuple[str, ...] = ()  # what it means, in lines, that all of them were 0 in every step


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
    Panel(
        "Similarity",
        {"similarity": "max(LPIPS(x, x_adv) − Δ_L, 0)"},
        log=False,
        idle=("LPIPS stayed below Δ_L,", "so α weighed nothing."),
    ),
)
# Those of the default protection alone are announced before there is one.
RARE = {*PANELS[0].series, *PANELS[1].series} - {"latent distance"}
# Which losses are drawn of which kind of run; an attack's total is its latent distance.
SERIES = {
    "protect": {name for panel in PANELS[:2] for name in panel.series},
    "purify": {name for panel in PANELS[2:] for name in panel.series},
}

PANES = {"protect": "protected", "purify": "purified"}  # where a run's previews are shown


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


def charts(
    curves: Mapping[str, Sequence[float]],
    steps: Mapping[str, int],
    ghosts: Sequence[Ghost] = (),
    scrub: Scrub = (),
    *,
    tiled: Sequence[str] = (),
    export: bool = False,
) -> str:
    """The panels as HTML, without those that only an adaptive protection fills.

    Args:
        steps: the length of each series' whole run, so that axes never jump.
        ghosts: earlier runs, drawn faintly behind.
        scrub: the pictures of some steps, to be looked at under the pointer.
        tiled: the kinds of run that went tile by tile, and have one loss a tile.
        export: bring every value along, for ``assets/export.js`` to save.
    """
    values = dict(curves) | {f"{name}, {ghost.words}": of for ghost in ghosts for name, of in ghost.curves.items()}
    data = f' data-csv="{escape(losses_csv(values))}"' if export and curves else ""
    shown = [panel for panel in PANELS if any(name not in RARE or curves.get(name) for name in panel.series)]
    drawn = "".join(chart(panel, curves, steps, ghosts, scrub, tiled) for panel in shown)
    return f'<div class="charts"{data}>{drawn}</div>'


def charts_of(record: Record, *, running: bool = False) -> str:
    """The losses of what stands on the page, to be saved once it is whole."""
    return charts(record.curves, record.steps, record.ghosts, record.scrub, tiled=record.tiled, export=not running)


def chart(
    panel: Panel,
    curves: Mapping[str, Sequence[float]],
    steps: Mapping[str, int],
    ghosts: Sequence[Ghost] = (),
    scrub: Scrub = (),
    tiled: Sequence[str] = (),
) -> str:
    """One panel as HTML."""
    drawn = {name: decimate(curves[name]) for name in panel.series if curves.get(name)}
    behind = [
        (ghost, {name: decimate(ghost.curves[name]) for name in panel.series if ghost.curves.get(name)})
        for ghost in ghosts
    ]
    lengths = [len(ghost.curves[name]) - 1 for ghost, lines in behind for name in lines]
    last = max(1, *(steps.get(name, 1) for name in panel.series), *lengths)
    about = "; ".join(panel.series[name] for name in drawn) or "; ".join(panel.series.values())
    # Drawn on both scales, so that a click changes it at once, also while it runs: assets/curves.js, assets/curves.css.
    scales = (("own", panel.log), ("flip", not panel.log)) if any(drawn.values()) else ()
    kind = next((kind for kind, names in SERIES.items() if names & set(panel.series)), "")
    unit = "tiles" if kind in tiled else "steps"
    plots = [f'<g class="{which}-scale">{_plot(panel, log, drawn, behind, last, unit)}</g>' for which, log in scales]
    flip = (
        f'<button type="button" class="flip" data-panel="{escape(panel.title)}" '
        f'aria-pressed="{str(panel.log).lower()}" title="Logarithmic or linear">log</button>'
    )
    seen = [[step, f"gradio_api/file={quote(path)}"] for part, step, path in scrub if part == kind]
    pictures = escape(json.dumps(seen))
    return (
        f'<figure class="chart"><figcaption title="{escape(about)}"><strong>{escape(panel.title)}</strong>{flip}'
        f'<output class="readout"></output></figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(_summary(panel, drawn))}" data-scrub="{pictures}" '
        f'data-pane="{PANES.get(kind, "")}">{"".join(plots) or _empty()}</svg></figure>'
    )


def _empty() -> str:
    return (
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"/>'
        f'<text class="tick" text-anchor="middle" x="{(LEFT + WIDTH - RIGHT) // 2}" y="{HEIGHT // 2}">'
        "drawn while it runs</text>"
    )


def _plot(panel: Panel, log: bool, drawn: Lines, behind: Sequence[tuple[Ghost, Lines]], last: int, unit: str) -> str:
    everything = [drawn, *(lines for _, lines in behind)]
    values = [value for lines in everything for points in lines.values() for _, value in points]
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

    def line(name: str, points: Sequence[Point], more: str, about: str, inside: str = "") -> str:
        path = " ".join(f"{x(index):.1f},{y(value):.1f}" for index, value in points)
        return f'<polyline class="line{more} line-{_slug(name)}" points="{path}"{about}>{inside}</polyline>'

    scale = f'data-low="{low:g}" data-high="{high:g}" data-log="{str(log).lower()}" data-last="{last}"'
    parts = [_empty().split("<text")[0].replace("<rect", f"<rect {scale}")]
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(
            f'<text class="tick" text-anchor="end" x="{LEFT - 5}" y="{y(tick) + 4:.1f}">{_number(tick)}</text>'
        )
    for index in sorted({0, last // 2, last}):
        words = f"{index} {unit}" if index == last else index
        parts.append(f'<text class="tick" text-anchor="middle" x="{x(index):.1f}" y="{HEIGHT - 8}">{words}</text>')
    for age, (ghost, lines) in enumerate(reversed(behind)):
        for number, (name, points) in enumerate(lines.items()):
            # Whoever reaches the first of a run's lines by keyboard has reached the run; the example is none.
            reach = f' data-run="{ghost.run}" data-age="{age}"'
            reach += ' tabindex="0" role="button"' if number == 0 and ghost.run else ""
            title = f"<title>{escape(ghost.words)}: {escape(name)} {_number(points[-1][1])}</title>"
            parts.append(line(name, points, " ghost", reach, title) if points else "")
    ends = []
    for name, points in drawn.items():
        if points:
            parts.append(line(name, points, "", "", f"<title>{escape(panel.series[name])}</title>"))
            index, value = points[-1]
            parts.append(f'<circle class="dot dot-{_slug(name)}" cx="{x(index):.1f}" cy="{y(value):.1f}" r="3"/>')
            if not (name.endswith(OTHER) and drawn.get(name.removesuffix(OTHER))):
                beside, told = drawn.get(other(name)), _number(value)
                told = f"┄ {told}" if name.endswith(OTHER) else told
                ends.append((y(value), name, f"{told} ┄ {_number(beside[-1][1])}" if beside else told))
    if ends and not any(value for points in drawn.values() for _, value in points):
        middle, lines = (LEFT + WIDTH - RIGHT) // 2, enumerate(panel.idle)
        parts += [
            f'<text class="tick" text-anchor="middle" x="{middle}" y="{HEIGHT // 2 + LINE * number}">{words}</text>'
            for number, words in lines
        ]
    return "".join([*parts, *_labels(panel, ends)])


def _labels(panel: Panel, ends: Sequence[tuple[float, str, str]]) -> Iterator[str]:
    """Each line's name and last value beside its end, a second run's (dashed) behind it; moved apart where they would
    lie on each other."""
    room = HEIGHT - BOTTOM - 2
    below = room - LINE * 2 * len(ends)
    for number, (height, name, value) in enumerate(sorted(ends)):
        below = max(below + 2 * LINE, height, TOP + LINE * (1 + 2 * number)) if number else max(TOP + LINE, height)
        top = min(below, room - LINE * (2 * (len(ends) - number) - 1))
        below = top
        yield (
            f'<text class="end" x="{WIDTH - RIGHT + 8}" y="{top:.1f}"><title>{escape(panel.series[name])}</title>'
            f'<tspan class="mark mark-{_slug(name)}">■</tspan> {escape(name.removesuffix(OTHER))}'
            f'<tspan class="last" x="{WIDTH - RIGHT + 20}" dy="{LINE}">{value}</tspan></text>'
        )


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
    return f"{value:.0e}".replace("e-0", "e−").replace("e-", "e−") if abs(value) < 1e-3 else f"{value:.3g}"


def other(name: str) -> str:
    """The name of a second run's series, which is drawn dashed in the first one's colour."""
    return f"{name}{OTHER}"


def _slug(name: str) -> str:
    """The class of a series; a second run's has the first one's, and one more."""
    return name.removesuffix(OTHER).replace(" ", "-") + (" other" if name.endswith(OTHER) else "")
