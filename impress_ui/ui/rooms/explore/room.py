"""The room that varies one or two settings over the picture at hand."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impress_ui.errors import UserError
from impress_ui.settings import JobSettings
from impress_ui.settings.explore import NOTHING
from impress_ui.settings.sweep import default_range
from impress_ui.ui import views
from impress_ui.ui.components import lossless
from impress_ui.ui.page import PRIVATE, Page, Room, Values, add_knobs
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.explore import views as explore_views
from impress_ui.ui.rooms.explore.views import taken_of

AXES = ("x", "x_from", "x_to", "x_count", "y", "y_from", "y_to", "y_count")


class ExploreRoom(Room):
    """What is varied on top; below it the map or the curve, what it says, and every cell's picture."""

    name, title = "explore", "What does a slider do?"
    hinted = (*(("explore", axis) for axis in AXES), ("protect", "method"), ("purify", "method"))

    def build(self, page: Page) -> None:
        """The section, in its tab."""
        gr.HTML(
            views.heading("Explore", "Vary one or two settings, and see what the protection and the picture have left")
        )
        self.grid = gr.State(None)
        with gr.Column(elem_classes="explore"):
            with gr.Column(elem_classes="ask"):
                with gr.Column(elem_classes="axes"):
                    with gr.Row(elem_classes="axis"):
                        add_knobs(page, "explore", ("x", "x_from", "x_to", "x_count"))
                    with gr.Row(elem_classes="axis"):
                        add_knobs(page, "explore", ("y", "y_from", "y_to", "y_count"))
                with gr.Column(elem_classes="buttons"):
                    self.run = gr.Button("Explore", variant="primary", size="lg", elem_id="explore-run")
                    self.stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="explore-stop")
                self.hint = gr.HTML(explore_views.hint(None, None), elem_id="explore-hint")
            self.status = gr.HTML(views.idle(explore_views.IDLE), elem_id="explore-status")
            with gr.Column(elem_classes="measure"):
                add_knobs(page, "explore", ("measure",))
            self.verdict = gr.HTML("", elem_id="explore-verdict")
            self.chart = gr.HTML("", elem_id="explore-chart")
            self.pictures = lossless(
                gr.Gallery, "The purified picture of every cell", type="filepath", interactive=False, columns=6,
                height="auto", object_fit="contain", buttons=["download", "fullscreen"], elem_id="explore-pictures",
                elem_classes="style-gallery", visible=False,
            )  # fmt: skip
            self.files = gr.File(
                label="The table as CSV, everything as a zip", file_count="multiple", visible=False, interactive=False,
                elem_id="explore-files",
            )  # fmt: skip
        self.run_buttons, self.stop_buttons, self.archives = (self.run,), (self.stop,), (self.files,)
        self.telling, self.galleries = (self.verdict, self.chart), (self.pictures,)

    def connect(self, shell: Any) -> None:
        """The run, another measure of what was explored, and a range for another setting."""
        page = shell.page
        knobs = page.section("explore")
        outputs = [self.status, self.verdict, self.chart, self.pictures, self.files, self.grid]
        explored = shell.starts(self.run, self.job, [page.mask, page.target], outputs)
        for change in (knobs["measure"].change, explored.then):  # a run knows the measure that it began with
            change(shown, [self.grid, knobs["measure"]], [self.verdict, self.chart], **PRIVATE)
        shell.hints_after(explored)
        for axis in ("x", "y"):
            ends = [knobs[f"{axis}_from"], knobs[f"{axis}_to"]]
            knobs[axis].input(range_of, knobs[axis], ends, queue=False, **PRIVATE)

    def job(self, page: Page, values: Values, session: str) -> Any:
        """The job of a click."""
        from impress_ui.ui.rooms.explore.run import ExploreRun

        return ExploreRun(page, values, session, self.status)

    def expects(self, page: Page, values: Values, job: JobSettings | None) -> str:
        """How many cells, and seconds, by the runs so far."""
        from impress_ui.jobs.explore import expected_of, plan_of

        record: Record = values[page.record]
        if job is None:  # the run itself says what is wrong with the settings
            return explore_views.hint(None, None)
        try:
            planned = plan_of(job)
        except UserError as error:
            return explore_views.refused(str(error))
        taken = taken_of(record, values[page.upload], job)
        protections = {cell_job.protect for _, cell_job in planned}
        made = protections if taken == "protected" else set()
        seconds = None if record.size is None else expected_of(planned, record.size, made)
        return explore_views.hint(taken, seconds, len(planned), len(protections - made))


def shown(grid: Any, measure: str) -> tuple[str, str]:
    """Another measure of what was explored; the example's grid comes as plain data."""
    if isinstance(grid, dict):
        from impress_ui.measures.grid import Grid, GridCell
        from impress_ui.settings.sweep import Axis

        axes = tuple(Axis(axis["name"], tuple(axis["values"])) for axis in grid["axes"])
        grid = Grid(axes, [GridCell(**cell) for cell in grid["cells"]])
    return explore_views.verdict(grid, measure), explore_views.chart(grid, measure)


def range_of(name: str) -> tuple[Any, Any]:
    """A range to begin with for another setting."""
    return (gr.skip(), gr.skip()) if name == NOTHING else default_range(name)
