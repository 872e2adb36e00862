"""What the page says about an exploration: its cost, its status, its chart and its verdict, as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from impress_ui.paths import PHOTOS
from impress_ui.settings import MEASURES, JobSettings
from impress_ui.ui.record import Record
from impress_ui.ui.views import duration, status

if TYPE_CHECKING:
    from impress_ui.jobs.items import ItemStep
    from impress_ui.measures.grid import Grid

# Taken where the page has no picture yet.
EXAMPLE = PHOTOS / "test" / "mountain1.jpg"
IDLE = "Choose what to vary, then “Explore”."
TAKEN = {
    None: "There is no picture yet: it takes the first of the examples.",
    "original": "It takes the picture of this page and protects it anew in each cell that needs it.",
    "protected": "It takes the protected picture of this page as it is, and varies its purification.",
    "upload": "It takes your upload as an unprotected picture.",
}


def hint(taken: str | None, seconds: float | None, cells: int = 0, protections: int = 0) -> str:
    """Which picture is taken, how much is to be done, and how long that is expected to take."""
    work = ""
    if cells:
        made = f"{protections} protection{'s' if protections > 1 else ''} and " if protections else ""
        work = f" {cells} cells: {made}{cells} purifications."
    wait = f"About {duration(seconds)} here." if seconds else "The pace is measured first, and the cost then told."
    return f'<p class="hint">{TAKEN[taken]}{work} {wait} Stop keeps what is done.</p>'


def refused(sentence: str) -> str:
    """The hint where the axes cannot be run as they stand."""
    return f'<p class="hint">{escape(sentence)}</p>'


def running(step: ItemStep, expected: float | None) -> str:
    """The status line of an exploration under way."""
    left = "" if step.seconds_left is None else f" · about {duration(step.seconds_left)} left"
    share = None
    if expected and step.seconds_left is not None:
        share = min(1.0, max(0.0, 1 - step.seconds_left / expected))
    if step.done:
        return status("Exploring", f"{step.number} of {step.count} cells done{left}", "running", share)
    if not step.phase.endswith("ing"):
        return status(step.phase, f"before {step.count} cells{left}")
    inside = f", step {step.index} of {step.steps}" if step.steps else ""
    where = f"cell {step.number + 1} of {step.count}, {step.phase}{inside}{left}"
    return status("Exploring", where, "running", share)


def chart(grid: Grid | None, measure: str) -> str:
    """The map or the curve, with the key of its marks."""
    from impress_ui.charts.explore import chart as drawn

    if grid is None:
        return ""
    scale = "<span class='key-note'>the stronger the colour, the more</span>" if len(grid.axes) == 2 else ""
    return (
        f'<figure class="chart"><figcaption><strong>{escape(MEASURES[measure].label)}</strong>'
        "<span class='key-note'><i class='ring-near'></i>nearest to the original</span>"
        f"<span class='key-note'><i class='ring-far'></i>farthest from it</span>{scale}</figcaption>"
        f"{drawn(grid, measure)}</figure>"
    )


def verdict(grid: Grid | None, measure: str) -> str:
    return "" if grid is None else f'<p class="edit-verdict">{escape(grid.verdict(measure))}</p>'


def taken_of(record: Record, upload: str | None, job: JobSettings) -> str | None:
    """Which picture an exploration takes: a key of ``explore_views.TAKEN``."""
    from impress_ui.jobs.explore import varies_protection

    if "original" not in record.files:
        return "upload" if upload else None
    return "protected" if "protected" in record.files and not varies_protection(job) else "original"
