"""Where settings come in and go out, and where the session's runs are kept."""

from __future__ import annotations

import gradio as gr

from impress_ui.settings.presets import PRESETS
from impress_ui.ui import views
from impress_ui.ui.page import Page
from impress_ui.ui.rooms.history import views as history_views


def keep_row(page: Page) -> None:
    """A compact row: presets, settings in and out, and a link to them."""
    with gr.Row(elem_id="keep"):
        page.preset = gr.Dropdown(
            [(preset.label, name) for name, preset in PRESETS.items()], value=None, label="Preset",
            elem_id="preset", min_width=130, filterable=False,
        )  # fmt: skip
        page.imported = gr.UploadButton(
            "Import", file_types=[".json", ".png"], size="sm", elem_id="import", min_width=70, type="filepath"
        )
        page.exported = gr.Button("Export", size="sm", elem_id="export", min_width=70)
        page.copied = gr.Button("Copy link", size="sm", elem_id="copy-link", min_width=80)
    # What Export and Copy link hand to the browser, and what a shared link's page presses once it is there.
    page.document = gr.Textbox(visible=False, label="document")
    page.gathered = gr.Textbox(visible=False, label="gathered")
    page.shared = gr.Button("Settings of the link", visible="hidden", elem_id="restore-link")


def run_zip(page: Page) -> None:
    """The run that stands here, to take away."""
    page.archive = gr.DownloadButton(
        "This run as a zip", size="sm", interactive=False, elem_id="run-zip", min_width=150
    )


def history_section(page: Page) -> None:
    """The runs of this session: one to look at, restore and take away, and one to compare it with."""
    gr.HTML(views.heading("History", "The runs of this page, until you close it: restore one, or lay two side by side"))
    with gr.Row(equal_height=True):
        page.past = _runs("Run", "past")
        page.past_other = _runs("Compare with", "past-other")
    with gr.Row(elem_id="past-buttons"):
        page.past_restore = gr.Button("Restore this run", elem_id="past-restore", min_width=150, scale=1)
        page.past_report = gr.DownloadButton(
            "Its report", interactive=False, elem_id="past-report", min_width=100, scale=1
        )
        page.past_archive = gr.DownloadButton("Its zip", interactive=False, elem_id="past-zip", min_width=100, scale=1)
    if "blind" in page.rooms:
        page.rooms["blind"].build(page)
    page.past_view = gr.HTML(history_views.NONE_YET, elem_id="past-view")


def new_seed_box(page: Page) -> None:
    """Beside the seed: whether every run draws one."""
    page.new_seed = gr.Checkbox(
        False, label="New seed for each run", info="It is drawn when a run begins, and written into the field.",
        elem_id="new-seed",
    )  # fmt: skip


def _runs(label: str, elem_id: str) -> gr.Dropdown:
    return gr.Dropdown([], value=None, label=label, elem_id=elem_id, min_width=220, filterable=False)
