"""The section that edits the page's pictures, and what it shares with the room that makes pictures from text.

Both stand alike: what is asked for on top, what comes of it below, and the finer settings beside that.
"""

from __future__ import annotations

import gradio as gr

from impress_ui.ui import views
from impress_ui.ui.components import mask_editor, picture_output
from impress_ui.ui.page import MAIN_KNOBS, Page, add_knobs, other_knobs
from impress_ui.ui.prompts import EDIT_EXAMPLES
from impress_ui.ui.record import EDITS, PICTURES, Record
from impress_ui.ui.rooms.edit import views as edit_views


def edit_section(page: Page) -> None:
    """The edits stand in the order of the panes above."""
    gr.HTML(views.heading("Edit", "Does the protection hold? The same edit of every picture, with the same noise"))
    with gr.Column(elem_classes="studio"):
        page.edit, page.edit_stop, page.edit_hint = prompt_and_buttons(page, "edit", EDIT_EXAMPLES, "Edit all three")
        with gr.Column(elem_classes="finer"):
            finer_knobs(page, "edit")
        with gr.Column(elem_classes="made"):
            page.edit_status = gr.HTML(views.idle(edit_views.IDLE), elem_id="edit-status")
            with gr.Column(visible=False, elem_id="edit-painting") as page.edit_painting:
                gr.HTML('<p class="hint">Paint in white what is to be repainted, in every picture.</p>')
                page.edit_mask = mask_editor("Mask of the edit", elem_id="edit-mask")
                add_knobs(page, "edit", ("invert_mask",))
            with gr.Row(elem_id="edits", equal_height=False):
                for name in PICTURES:
                    _edit(page, name)
            page.verdict = gr.HTML(edit_views.verdict(Record()), elem_id="edit-verdict")


def prompt_and_buttons(
    page: Page, section: str, examples: tuple[str, ...], label: str
) -> tuple[gr.Button, gr.Button, gr.HTML]:
    """The prompt with its examples, and the buttons: run, stop, and the line under them."""
    prompt = MAIN_KNOBS[section][0]
    with gr.Column(elem_classes="ask"):
        with gr.Column(elem_classes="words-in"):
            add_knobs(page, section, (prompt,))
            gr.Examples(
                [[text] for text in examples], [page.knobs[section, prompt]],
                label="Prompts to try", elem_id=f"{section}-examples", api_visibility="private",
            )  # fmt: skip
            gr.HTML(edit_views.known_words())
        with gr.Column(elem_classes="buttons"):
            run = gr.Button(label, variant="primary", size="lg", elem_id=f"{section}-run")
            stop = gr.Button("Stop", variant="stop", interactive=False, elem_id=f"{section}-stop")
        hint = gr.HTML(edit_views.hint((), None) if section == "edit" else "", elem_id=f"{section}-hint")
    return run, stop, hint


def finer_knobs(page: Page, section: str) -> None:
    """The settings beside the result, the rarer ones folded away."""
    add_knobs(page, section, MAIN_KNOBS[section][1:])
    with gr.Accordion("More", open=False, elem_id=f"{section}-more"):
        add_knobs(page, section, other_knobs(section, "invert_mask"))


def _edit(page: Page, name: str) -> None:
    title = EDITS[f"edit({name})"]
    with gr.Column(min_width=90, elem_classes=["pane", f"pane-{name}"]):
        gr.HTML(f'<h3 class="edit-title">{title}</h3>')
        page.edits[name] = picture_output(title, title, elem_id=f"edit-of-{name}", height=200, show_label=False)
        page.edit_captions[name] = gr.HTML(edit_views.caption(name, Record()), elem_classes="caption")
