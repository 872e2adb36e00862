"""The example's pictures in the page's head: seen while the scripts that draw the page are still on their way."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote

import gradio as gr
from PIL import Image

from impress_ui.paths import ASSETS

PANES = {
    "original": "Original",
    "protected": "Protected",
    "reconstructed": "Reconstructed, as the model sees it",
    "purified": "Purified",
}


def poster(blocks: gr.Blocks) -> str:
    """A style and a script for the head of a page that begins with pictures; nothing for one that does not."""
    found = {block.elem_id: block.value for block in blocks.blocks.values() if isinstance(block, gr.Image)}
    begins = {label: found.get(f"pane-{name}") for name, label in PANES.items()}
    if not all(begins.values()):
        return ""
    shown = [(label, f"gradio_api/file={quote(value['path'])}") for label, value in begins.items()]
    answer = next((block.value for block in blocks.blocks.values() if block.elem_id == "answer"), "")
    told = unescape(re.sub(r"<[^>]*>", "", str(answer))).strip()
    style, script = ((ASSETS / f"poster.{kind}").read_text(encoding="utf-8").strip() for kind in ("css", "js"))
    with Image.open(begins[PANES["original"]]["path"]) as picture:  # room for all four before they have come
        style += f" #poster img {{ aspect-ratio: {picture.width} / {picture.height}; }}"
    return f"<style>{style}</style><script>({script})({_inline(shown)}, {_inline(told)})</script>"


def _inline(value: Any) -> str:
    """JSON that may stand in a script of the page: no text of it ends the script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
