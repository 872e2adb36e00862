"""The section that asks whether a protection holds: which purifiers, on which picture, and what they leave of it."""

from __future__ import annotations

import gradio as gr

from impress_ui.ui import views
from impress_ui.ui.components import lossless, picture_input
from impress_ui.ui.page import MAIN_KNOBS, Page, add_knobs, other_knobs
from impress_ui.ui.rooms.stress import views as stress_views


def stress_section(page: Page) -> None:
    """The purifiers on top; below them the verdict, the scatter, the ranked table and the pictures."""
    gr.HTML(views.heading("Stress test", "Does the protection hold? Every purifier on one picture, and what survives"))
    with gr.Column(elem_classes="studio"):
        with gr.Column(elem_classes="ask"):
            with gr.Column(elem_classes="words-in"):
                add_knobs(page, "stress", MAIN_KNOBS["stress"])
            with gr.Column(elem_classes="buttons"):
                page.stress = gr.Button("Run the stress test", variant="primary", size="lg", elem_id="stress-run")
                page.stress_stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="stress-stop")
            page.stress_hint = gr.HTML(stress_views.hint(None, None), elem_id="stress-hint")
        with gr.Column(elem_classes="finer"):
            add_knobs(page, "stress", other_knobs("stress"))
            with gr.Accordion("Pictures from elsewhere", open=False, elem_id="stress-elsewhere"):
                gr.HTML('<p class="hint">Protected by any other tool; its original tells more, if you have it.</p>')
                page.stress_protected = picture_input(
                    "Protected", "A picture that was protected elsewhere", height=150, elem_id="stress-protected"
                )
                page.stress_original = picture_input(
                    "Its original", "The same picture unprotected", height=150, elem_id="stress-original"
                )
        with gr.Column(elem_classes="made"):
            page.stress_status = gr.HTML(views.idle(stress_views.IDLE), elem_id="stress-status")
            page.stress_verdict = gr.HTML("", elem_id="stress-verdict")
            page.stress_scatter = gr.HTML("", elem_id="stress-scatter")
            gr.HTML(views.what_you_see(stress_views.TOLD), elem_id="stress-told", elem_classes="told-after")
            page.stress_table = gr.HTML("", elem_id="stress-table")
            page.stress_pictures = lossless(
                gr.Gallery, "What each purifier made", type="filepath", interactive=False, columns=6, height="auto",
                object_fit="contain", buttons=["download", "fullscreen"], elem_id="stress-pictures",
                elem_classes="style-gallery", visible=False,
            )  # fmt: skip
            page.stress_zip = gr.File(label="The test as a zip", visible=False, interactive=False, elem_id="stress-zip")
