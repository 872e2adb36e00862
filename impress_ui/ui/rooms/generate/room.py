"""The room that makes pictures from words alone."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impress_ui.settings import JobSettings
from impress_ui.ui import views
from impress_ui.ui.components import lossless
from impress_ui.ui.page import MAIN_KNOBS, Page, Room, Values, add_knobs, other_knobs
from impress_ui.ui.prompts import GENERATE_EXAMPLES
from impress_ui.ui.rooms.edit import views as edit_views


class GenerateRoom(Room):
    """Pictures from words, in a gallery."""

    name, title = "generate", "Paint"
    hinted = tuple(("generate", name) for name in ("count", "guidance", "sampling_steps", "width", "height"))

    def build(self, page: Page) -> None:
        """The section, in its tab."""
        gr.HTML(views.heading("Generate", "What the model paints from words alone"))
        with gr.Column(elem_classes="studio"):
            self.run, self.stop, self.hint = _prompt_and_buttons(page)
            with gr.Column(elem_classes="finer"):
                add_knobs(page, "generate", MAIN_KNOBS["generate"][1:])
                with gr.Accordion("More", open=False, elem_id="generate-more"):
                    add_knobs(page, "generate", other_knobs("generate"))
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
        told = edit_views.time_here(estimate(generation(job), job.generate.sampling_steps))
        return f'<p class="hint">{told}</p>' if told else ""


def _prompt_and_buttons(page: Page) -> tuple[gr.Button, gr.Button, gr.HTML]:
    """The prompt with its examples, and the buttons: run, stop, and the line under them."""
    with gr.Column(elem_classes="ask"):
        with gr.Column(elem_classes="words-in"):
            add_knobs(page, "generate", ("prompt",))
            gr.Examples(
                [[text] for text in GENERATE_EXAMPLES], [page.knobs["generate", "prompt"]],
                label="Prompts to try", elem_id="generate-examples", api_visibility="private",
            )  # fmt: skip
            gr.HTML(edit_views.known_words())
        with gr.Column(elem_classes="buttons"):
            run = gr.Button("Generate", variant="primary", size="lg", elem_id="generate-run")
            stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="generate-stop")
        hint = gr.HTML("", elem_id="generate-hint")
    return run, stop, hint
