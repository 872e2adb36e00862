"""The room that asks whether a protection holds: which purifiers, on which picture, and what they leave of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impress_ui.settings import JobSettings
from impress_ui.ui import views
from impress_ui.ui.components import lossless, picture_input
from impress_ui.ui.page import MAIN_KNOBS, Page, Room, Values, add_knobs, other_knobs
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.stress import views as stress_views


class StressRoom(Room):
    """The purifiers on top; below them the verdict, the scatter, the ranked table and the pictures."""

    name, title = "stress", "Does it hold?"
    hinted = (
        ("stress", "purifiers"), ("stress", "edits"), ("stress", "twins"), ("purify", "method"), ("purify", "steps"),
        ("purify", "chain"), ("edit", "strength"), ("edit", "guidance"), ("edit", "sampling_steps"),
    )  # fmt: skip

    def build(self, page: Page) -> None:
        """The section, in its tab."""
        gr.HTML(
            views.heading("Stress test", "Does the protection hold? Every purifier on one picture, and what survives")
        )
        with gr.Column(elem_classes="studio"):
            with gr.Column(elem_classes="ask"):
                with gr.Column(elem_classes="words-in"):
                    add_knobs(page, "stress", MAIN_KNOBS["stress"])
                with gr.Column(elem_classes="buttons"):
                    self.run = gr.Button("Run the stress test", variant="primary", size="lg", elem_id="stress-run")
                    self.stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="stress-stop")
                self.hint = gr.HTML(stress_views.hint(None, None), elem_id="stress-hint")
            with gr.Column(elem_classes="finer"):
                add_knobs(page, "stress", other_knobs("stress"))
                with gr.Accordion("Pictures from elsewhere", open=False, elem_id="stress-elsewhere"):
                    gr.HTML('<p class="hint">Protected by any other tool; its original tells more, if you have it.</p>')
                    self.protected = picture_input(
                        "Protected", "A picture that was protected elsewhere", height=150, elem_id="stress-protected"
                    )
                    self.original = picture_input(
                        "Its original", "The same picture unprotected", height=150, elem_id="stress-original"
                    )
            with gr.Column(elem_classes="made"):
                self.status = gr.HTML(views.idle(stress_views.IDLE), elem_id="stress-status")
                self.verdict = gr.HTML("", elem_id="stress-verdict")
                self.scatter = gr.HTML("", elem_id="stress-scatter")
                gr.HTML(views.what_you_see(stress_views.TOLD), elem_id="stress-told", elem_classes="told-after")
                self.table = gr.HTML("", elem_id="stress-table")
                self.pictures = lossless(
                    gr.Gallery, "What each purifier made", type="filepath", interactive=False, columns=6, height="auto",
                    object_fit="contain", buttons=["download", "fullscreen"], elem_id="stress-pictures",
                    elem_classes="style-gallery", visible=False,
                )  # fmt: skip
                self.zip = gr.File(label="The test as a zip", visible=False, interactive=False, elem_id="stress-zip")
        self.run_buttons, self.stop_buttons, self.archives = (self.run,), (self.stop,), (self.zip,)
        self.given, self.read = (self.protected, self.original), (self.protected,)
        self.telling, self.galleries = (self.verdict, self.scatter, self.table), (self.pictures,)

    def connect(self, shell: Any) -> None:
        """The run, and the hint that follows it and a picture from elsewhere."""
        outputs = [self.status, self.verdict, self.scatter, self.table, self.pictures, self.zip]
        shell.hints_after(shell.starts(self.run, self.job, [self.original], outputs))
        shell.hints_on(self.protected.change)

    def job(self, page: Page, values: Values, session: str) -> Any:
        """The job of a click."""
        from impress_ui.ui.rooms.stress.run import StressRun

        return StressRun(page, values, session, self.status)

    def expects(self, page: Page, values: Values, job: JobSettings | None) -> str:
        """Seconds of all purifiers on the picture that is going to be tested."""
        from impress_ui.measures.costs import expected_seconds
        from impress_ui.ui.progress import expected

        record: Record = values[page.record]
        tested = "page" if "protected" in record.files and "original" in record.files else None
        tested = tested or ("alone" if "protected" in record.files else "upload" if values[page.upload] else None)
        if values[self.protected]:
            tested = "elsewhere"
        if job is None or record.size is None:
            return stress_views.hint(tested, None)
        purifiers = list(job.stress.settings_of(job.purify).values()) * (2 if job.stress.twins else 1)
        costs = [expected_seconds(settings, record.size) for settings in purifiers]
        if job.stress.edits:
            costs.append(expected("edit", job, record.size, len(job.stress.purifiers) + 2))
        return stress_views.hint(tested, None if None in costs else sum(costs))
