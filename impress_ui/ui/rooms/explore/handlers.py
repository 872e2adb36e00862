"""What the Explore section does. Torch and the core are imported inside, so that the page is ready before they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from impress_ui.errors import UserError
from impress_ui.paths import PHOTOS
from impress_ui.settings import JobSettings
from impress_ui.settings.explore import NOTHING
from impress_ui.settings.sweep import default_range
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.handlers import DEVICE, PRIVATE, Update, Values
from impress_ui.ui.page import Page
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.explore import views as explore_views
from impress_ui.ui.sessions import session_of

# Taken where the page has no picture yet.
EXAMPLE = PHOTOS / "test" / "mountain1.jpg"
AXES = ("x", "x_from", "x_to", "x_count", "y", "y_from", "y_to", "y_count")
METHODS = (("protect", "method"), ("purify", "method"))


def connect_explore(page: Page) -> None:
    """Attach the section's handlers."""
    knobs = {name: page.knobs["explore", name] for name in (*AXES, "measure")}
    settings = {*page.knobs.values(), page.record, page.upload, page.new_seed}
    outputs = [
        page.explore_status, page.explore_verdict, page.explore_chart, page.explore_pictures, page.explore_files,
        page.explored, page.record, *page.edit_captions.values(), page.verdict, *page.run_buttons, *page.stop_buttons,
        *page.after_run,
    ]  # fmt: skip

    def run(values: Values, request: gr.Request) -> Iterator[Update]:
        from impress_ui.ui.rooms.explore.run import ExploreRun

        yield from ExploreRun(page, values, session_of(request), page.explore_status).updates()

    def told(values: Values) -> str:
        return hint(page, values)

    started = page.explore.click(
        run, {*settings, page.mask, page.target}, outputs, trigger_mode="once", **DEVICE, **PRIVATE
    )
    started.then(told, settings, page.explore_hint, **PRIVATE)
    for name in AXES:
        knobs[name].change(told, settings, page.explore_hint, trigger_mode="always_last", **PRIVATE)
    knobs["measure"].change(
        shown, [page.explored, knobs["measure"]], [page.explore_verdict, page.explore_chart], **PRIVATE
    )
    knobs["x"].input(range_of, knobs["x"], [knobs["x_from"], knobs["x_to"]], queue=False, **PRIVATE)
    knobs["y"].input(range_of, knobs["y"], [knobs["y_from"], knobs["y_to"]], queue=False, **PRIVATE)
    for key in METHODS:
        page.knobs[key].change(told, settings, page.explore_hint, trigger_mode="always_last", **PRIVATE)


def taken_of(record: Record, upload: str | None, job: JobSettings) -> str | None:
    """Which picture an exploration takes: a key of ``explore_views.TAKEN``."""
    from impress_ui.jobs.explore import varies_protection

    if "original" not in record.files:
        return "upload" if upload else None
    return "protected" if "protected" in record.files and not varies_protection(job) else "original"


def hint(page: Page, values: Values) -> str:
    """What an exploration will take, and how long, by the runs so far."""
    from impress_ui.jobs.explore import expected_of, plan_of

    record: Record = values[page.record]
    try:
        job = job_from_widgets(page, values)
        planned = plan_of(job)
    except UserError as error:
        return explore_views.refused(str(error))
    except Exception:  # the run itself says what is wrong with the settings
        return explore_views.hint(None, None)
    taken = taken_of(record, values[page.upload], job)
    protections = {cell_job.protect for _, cell_job in planned}
    made = protections if taken == "protected" else set()
    seconds = None if record.size is None else expected_of(planned, record.size, made)
    return explore_views.hint(taken, seconds, len(planned), len(protections - made))


def shown(grid: Any, measure: str) -> tuple[str, str]:
    """Another measure of what was explored."""
    return explore_views.verdict(grid, measure), explore_views.chart(grid, measure)


def range_of(name: str) -> tuple[Any, Any]:
    """A range to begin with for another setting."""
    return (gr.skip(), gr.skip()) if name == NOTHING else default_range(name)
