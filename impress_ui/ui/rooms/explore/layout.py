"""The section that varies one or two settings over the picture at hand."""

from __future__ import annotations

import gradio as gr

from impress_ui.ui import views
from impress_ui.ui.components import lossless
from impress_ui.ui.page import Page, add_knobs
from impress_ui.ui.rooms.explore import views as explore_views


def explore_section(page: Page) -> None:
    """What is varied on top; below it the map or the curve, what it says, and every cell's picture."""
    gr.HTML(views.heading("Explore", "Vary one or two settings, and see what the protection and the picture have left"))
    page.explored = gr.State(None)
    with gr.Column(elem_classes="explore"):
        with gr.Column(elem_classes="ask"):
            with gr.Column(elem_classes="axes"):
                with gr.Row(elem_classes="axis"):
                    add_knobs(page, "explore", ("x", "x_from", "x_to", "x_count"))
                with gr.Row(elem_classes="axis"):
                    add_knobs(page, "explore", ("y", "y_from", "y_to", "y_count"))
            with gr.Column(elem_classes="buttons"):
                page.explore = gr.Button("Explore", variant="primary", size="lg", elem_id="explore-run")
                page.explore_stop = gr.Button("Stop", variant="stop", interactive=False, elem_id="explore-stop")
            page.explore_hint = gr.HTML(explore_views.hint(None, None), elem_id="explore-hint")
        page.explore_status = gr.HTML(views.idle(explore_views.IDLE), elem_id="explore-status")
        with gr.Column(elem_classes="measure"):
            add_knobs(page, "explore", ("measure",))
        page.explore_verdict = gr.HTML("", elem_id="explore-verdict")
        page.explore_chart = gr.HTML("", elem_id="explore-chart")
        page.explore_pictures = lossless(
            gr.Gallery, "The purified picture of every cell", type="filepath", interactive=False, columns=6,
            height="auto", object_fit="contain", buttons=["download", "fullscreen"], elem_id="explore-pictures",
            elem_classes="style-gallery", visible=False,
        )  # fmt: skip
        page.explore_files = gr.File(
            label="The table as CSV, everything as a zip", file_count="multiple", visible=False, interactive=False,
            elem_id="explore-files",
        )  # fmt: skip
