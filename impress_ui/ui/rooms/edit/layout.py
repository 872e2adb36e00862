"""Where the edits stand: under the pictures they are made of; and the prompt with its buttons of the room Generate."""

from __future__ import annotations

import gradio as gr

from impress_ui.ui import views
from impress_ui.ui.components import mask_editor, picture_output
from impress_ui.ui.page import MAIN_KNOBS, Page, add_knobs, other_knobs
from impress_ui.ui.prompts import EDIT_EXAMPLES
from impress_ui.ui.record import EDITS, Record
from impress_ui.ui.rooms.edit import views as edit_views


def ask_for_edits(page: Page) -> None:
    """What is asked for, in the row of the edits: the prompt, the buttons, and what they say."""
    add_knobs(page, "edit", MAIN_KNOBS["edit"][:1])
    with gr.Row(elem_id="edit-buttons"):
        page.edit = gr.Button("Edit all three", variant="primary", size="sm", elem_id="edit-run", min_width=60)
        page.edit_stop = gr.Button(
            "Stop", variant="stop", size="sm", interactive=False, elem_id="edit-stop", min_width=50
        )
    page.edit_hint = gr.HTML(edit_views.hint(()), elem_id="edit-hint")
    page.edit_status = gr.HTML(views.idle(edit_views.IDLE), elem_id="edit-status")


def edit_pane(page: Page, name: str) -> None:
    """One picture's edit, with its figures folded under it."""
    title = EDITS[f"edit({name})"]
    with gr.Column(min_width=90, elem_classes=["pane", f"pane-{name}"]):
        page.edits[name] = picture_output(title, title, elem_id=f"edit-of-{name}", height=116)
        page.edit_captions[name] = gr.HTML(edit_views.caption(name, Record()), elem_classes="caption")


def finer_edits(page: Page) -> None:
    """What the edits say together, and everything about them that a first look does not need."""
    page.verdict = gr.HTML(edit_views.verdict(Record()), elem_id="edit-verdict")
    with gr.Accordion("More about the edit: prompts to try, strength, mask", open=False, elem_id="edit-more"):
        gr.Examples(
            [[text] for text in EDIT_EXAMPLES], [page.knobs["edit", "prompt"]],
            label="Prompts to try", elem_id="edit-examples", api_visibility="private",
        )  # fmt: skip
        gr.HTML(edit_views.known_words())
        with gr.Row(elem_id="edit-knobs"):
            add_knobs(page, "edit", (*MAIN_KNOBS["edit"][1:], *other_knobs("edit", "invert_mask")))
        with gr.Column(visible=False, elem_id="edit-painting") as page.edit_painting:
            gr.HTML('<p class="hint">Paint in white what is to be repainted, in every picture.</p>')
            page.edit_mask = mask_editor("Mask of the edit", elem_id="edit-mask")
            add_knobs(page, "edit", ("invert_mask",))
