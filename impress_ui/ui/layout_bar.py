"""The bar above the page: presets, settings in and out, a link to them, and the session's runs."""

from __future__ import annotations

import gradio as gr

from impress_ui.presets import PRESETS
from impress_ui.ui import history_views
from impress_ui.ui.page import Page


def bar(page: Page) -> None:
    """One row; the runs unfold below it."""
    with gr.Row(elem_id="bar", equal_height=True):
        page.preset = gr.Dropdown(
            [(preset.label, name) for name, preset in PRESETS.items()], value=None, label="Preset", show_label=False,
            container=False, elem_id="preset", min_width=130, filterable=False, allow_custom_value=False,
        )  # fmt: skip
        page.imported = gr.UploadButton(
            "Import", file_types=[".json", ".png"], size="sm", elem_id="import", min_width=80, type="filepath"
        )
        page.exported = gr.Button("Export", size="sm", elem_id="export", min_width=80)
        page.copied = gr.Button("Copy link", size="sm", elem_id="copy-link", min_width=90)
        page.archive = gr.DownloadButton(
            "Zip of the run", size="sm", interactive=False, elem_id="run-zip", min_width=110
        )
    # What Export and Copy link hand to the browser, and what a shared link's page presses once it is there.
    page.document = gr.Textbox(visible=False, label="document")
    page.shared = gr.Button("Settings of the link", visible="hidden", elem_id="restore-link")
    with gr.Accordion("History", open=False, elem_id="history"):
        with gr.Row(equal_height=True):
            page.past = _runs("Run", "past")
            page.past_other = _runs("Compare with", "past-other")
            page.past_restore = gr.Button("Restore this run", size="sm", elem_id="past-restore", min_width=110)
            page.past_archive = gr.DownloadButton(
                "Its zip", size="sm", interactive=False, elem_id="past-zip", min_width=80
            )
        page.past_view = gr.HTML(history_views.NONE_YET, elem_id="past-view")


def new_seed_box(page: Page) -> None:
    """Beside the seed: whether every run draws one."""
    page.new_seed = gr.Checkbox(
        False, label="New seed for each run", info="It is drawn when a run begins, and written into the field.",
        elem_id="new-seed",
    )  # fmt: skip


def _runs(label: str, elem_id: str) -> gr.Dropdown:
    return gr.Dropdown([], value=None, label=label, elem_id=elem_id, min_width=220, filterable=False)
