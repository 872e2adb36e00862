"""The room that makes pictures from words alone."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impress_ui.settings import JobSettings
from impress_ui.ui import views
from impress_ui.ui.components import lossless
from impress_ui.ui.page import Page, Room, Values
from impress_ui.ui.prompts import GENERATE_EXAMPLES
from impress_ui.ui.rooms.edit import views as edit_views
from impress_ui.ui.rooms.edit.layout import finer_knobs, prompt_and_buttons


class GenerateRoom(Room):
    """Pictures from words, in a gallery."""

    name, title = "generate", "Generate"
    hinted = tuple(("generate", name) for name in ("count", "guidance", "sampling_steps", "width", "height"))

    def build(self, page: Page) -> None:
        """The section, in its tab."""
        gr.HTML(views.heading("Generate", "What the model paints from words alone"))
        with gr.Column(elem_classes="studio"):
            self.run, self.stop, self.hint = prompt_and_buttons(page, "generate", GENERATE_EXAMPLES, "Generate")
            with gr.Column(elem_classes="finer"):
                finer_knobs(page, "generate")
            with gr.Column(elem_classes="made"):
                self.status = gr.HTML(views.idle(edit_views.GENERATE_IDLE), elem_id="generate-status")
                self.gallery = lossless(
                    gr.Gallery, "Generated pictures", type="filepath", interactive=False, columns=4, height="auto",
                    object_fit="contain", show_label=False, buttons=["download", "download_all", "fullscreen"],
                    elem_id="gallery",
                )  # fmt: skip
                gr.HTML(
                    views.what_you_see(edit_views.GENERATE_TOLD), elem_id="generate-told", elem_classes="told-after"
                )
        self.run_buttons, self.stop_buttons = (self.run,), (self.stop,)
        self.galleries = (self.gallery,)

    def connect(self, shell: Any) -> None:
        """The run."""
        shell.hints_after(shell.starts(self.run, self.job, (), [self.status, self.gallery]))

    def job(self, page: Page, values: Values, session: str) -> Any:
        """The job of a click."""
        from impress_ui.ui.rooms.generate.run import GenerateRun

        return GenerateRun(page, values, session, self.status)

    def expects(self, page: Page, values: Values, job: JobSettings | None) -> str:
        """Seconds, by the runs so far."""
        from impress_ui.ui.progress import estimate, generation

        if job is None:
            return ""
        return edit_views.generate_hint(estimate(generation(job), job.generate.sampling_steps))
