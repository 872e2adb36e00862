"""What a record says under its pictures and its edits: the same lines for a run, a new picture and a restored run."""

from __future__ import annotations

from impress_ui.ui import views
from impress_ui.ui.page import Page, Update
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.edit import views as edit_views


def captions_of(page: Page, record: Record) -> Update:
    """The line under every pane; the reconstruction is taken for the protected picture's."""
    rows = {row["name"]: row for row in record.rows}
    rows["reconstructed"] = rows.get("protected")
    told = {name: views.caption(name, rows.get(name)) for name in page.captions}
    if record.unknown_original:
        told["original"] = views.UNKNOWN_ORIGINAL
    return {page.captions[name]: line for name, line in told.items()}


def edit_captions_of(page: Page, record: Record) -> Update:
    """The line under every edit, and what they say together."""
    lines = {caption: edit_views.caption(name, record) for name, caption in page.edit_captions.items()}
    return {**lines, page.verdict: edit_views.verdict(record)}
