"""What a session remembers of its runs."""

from __future__ import annotations

import gradio as gr
from gradio.blocks import postprocess_update_dict

from impress_ui.ui.rooms.history.runs import own_copy


def test_what_is_kept_outlives_what_gradio_is_handed() -> None:
    button = gr.DownloadButton()
    handed = {button: gr.update(value="run.zip", interactive=True), "status": "Done"}
    kept = own_copy(handed)
    postprocess_update_dict(button, handed[button], postprocess=False)
    assert "value" not in handed[button]  # else the copy is needed no longer
    assert kept[button]["value"] == "run.zip" and kept["status"] == "Done"
