"""Two runs side by side, as HTML: their curves in one plot, what was set differently, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

from impress_ui.jobs.documents import changed
from impress_ui.ui import curves
from impress_ui.ui.record import PICTURES
from impress_ui.ui.rooms.history.runs import PastRun
from impress_ui.ui.rooms.style import views as style_views

NONE_YET = '<p class="caption">Every run of this page is kept here until you close it: to restore, and to compare.</p>'
SHOWN = 12  # differing settings that are listed
# Of a row of the table of measures: how it is called, where it stands, digits.
FIGURES = (
    ("SSIM", ("against_original", "ssim"), 3),
    ("PSNR dB", ("against_original", "psnr"), 2),
    ("LPIPS", ("against_original", "lpips"), 3),
    ("Latent distance", ("latent_distance",), 3),
    ("Round-trip error", ("round_trip_error",), 5),
)


def compared(run: PastRun | None, other: PastRun | None) -> str:
    """A run beside another one, or alone."""
    if run is None:
        return NONE_YET
    told = f'<p class="caption"><b>Run {run.number}</b> {escape(run.told)}</p>'
    if other is None or other is run:
        return told + _charts(run, None) + _figures([run])
    told += f'<p class="caption"><b>Run {other.number}</b> (dashed) {escape(other.told)}</p>'
    return told + _charts(run, other) + _settings(run, other) + _figures([run, other])


def _charts(run: PastRun, other: PastRun | None) -> str:
    """Every panel that one of the runs has a curve for; the other's curves are dashed."""
    drawn: dict[str, Any] = dict(run.curves)
    steps = dict(run.steps)
    if other is not None:
        drawn |= {curves.other(name): values for name, values in other.curves.items()}
        steps |= {curves.other(name): count for name, count in other.steps.items()}
    charts = []
    for panel in (*curves.PANELS, style_views.LOSSES):
        series = {name: words for name, words in panel.series.items() if run.curves.get(name)}
        if other is not None:
            series |= {
                curves.other(name): f"{words}, run {other.number}"
                for name, words in panel.series.items()
                if other.curves.get(name)
            }
        if series:
            charts.append(curves.chart(replace(panel, series=series), drawn, steps))
    return f'<div class="charts compared">{"".join(charts)}</div>' if charts else ""


def _settings(run: PastRun, other: PastRun) -> str:
    differing = changed(run.job, other.job)
    if not differing:
        return '<p class="caption">Both were set alike.</p>'
    rows = "".join(
        f'<tr translate="no"><th scope="row">{escape(name)}</th>'  # as files and commands name them
        f"<td>{escape(_text(mine))}</td><td>{escape(_text(theirs))}</td></tr>"
        for name, (mine, theirs) in list(differing.items())[:SHOWN]
    )
    more = f'<p class="caption">and {len(differing) - SHOWN} more</p>' if len(differing) > SHOWN else ""
    return _table(("Setting", f"Run {run.number}", f"Run {other.number}"), rows) + more


def _figures(runs: list[PastRun]) -> str:
    """Protected and purified picture of each run in the measures that tell most.

    Runs of the other rooms leave these pictures as they were, so the figures would say nothing of them.
    """
    rows = []
    for run in (run for run in runs if run.room == "story"):
        for row in run.record.rows:
            if row["name"] in PICTURES and row["name"] != "original" and not row["control"]:
                cells = "".join(f"<td>{_figure(row, path, digits)}</td>" for _, path, digits in FIGURES)
                rows.append(f'<tr><th scope="row">Run {run.number}, {row["name"]}</th>{cells}</tr>')
    return _table(("Picture", *(name for name, _, _ in FIGURES)), "".join(rows)) if rows else ""


def _table(heads: tuple[str, ...], rows: str) -> str:
    cells = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return (
        '<div class="table-scroll" tabindex="0" role="region" aria-label="Comparison"><table class="measures">'
        f"<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _figure(row: Mapping[str, Any], path: tuple[str, ...], digits: int) -> str:
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return "—" if value is None else f"{value:.{digits}f}"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
