"""The fold that learns one perturbation over many pictures, and adds one to the picture at hand."""

from __future__ import annotations

import gradio as gr

from impress_ui.ui.page import Page


def universal_fold(page: Page) -> None:
    """Pictures to learn from, and the perturbation: what was learnt stands where another one can be put."""
    with gr.Accordion("One perturbation for many pictures", open=False, elem_id="universal-area"):
        gr.HTML(
            "<p>Learn one perturbation over many pictures, as the protection above is set; then it is added to any "
            "picture at no cost. It covers less than a picture’s own attack does.</p>"
        )
        page.universal_works = gr.File(
            label="Pictures to learn from", file_count="multiple", file_types=["image"], type="filepath", height=120,
            elem_id="universal-works",
        )  # fmt: skip
        page.universal_learn = gr.Button("Learn it", elem_id="universal-learn")
        page.universal = gr.File(
            label="The perturbation, learnt or yours", file_types=[".png"], type="filepath", height=120,
            elem_id="universal-file",
        )  # fmt: skip
        page.universal_add = gr.Button("Add it to the picture", elem_id="universal-add")
