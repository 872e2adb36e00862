"""A new picture on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from impress_ui.jobs.documents import checked
from impress_ui.pictures.images import fit, open_picture, save_png
from impress_ui.settings import RunSettings
from impress_ui.ui import views
from impress_ui.ui.captions import captions_of, edit_captions_of
from impress_ui.ui.components import mask_background
from impress_ui.ui.curves import charts
from impress_ui.ui.demo import is_example
from impress_ui.ui.forms import widgets_of
from impress_ui.ui.mistakes import explain, warn
from impress_ui.ui.page import Page, Update
from impress_ui.ui.public import HOST
from impress_ui.ui.queue import Job
from impress_ui.ui.record import Record, new_folder
from impress_ui.ui.rooms.edit import views as edit_views
from impress_ui.ui.runs import JOBS, made_here

BUSY = (
    "This picture was not opened, for a run is under way: stop it or wait for its end, then choose the picture again."
)

BEFORE = "What stands beside it is still of the picture before."


def opened(page: Page, values: Mapping[Any, Any], session: str) -> Iterator[Update]:
    """A new picture: show it at its working size, say what was done to it, clear what another one left."""
    path = values[page.upload]
    if not path or is_example(path, values[page.record]):  # cleared: what was made may still be looked at
        yield {page.notes: ""}
        return
    if not JOBS.free(session):  # its last update would put the page back to the picture that it began with
        warn(BUSY)
        yield {page.notes: views.notes([BUSY])}
        return
    with JOBS.open(session, opening=True) as own:  # what is begun meanwhile would take the picture before
        yield _opened(page, values, session, own)


def _opened(page: Page, values: Mapping[Any, Any], session: str, own: Job) -> Update:
    path = values[page.upload]
    told, job, settings = made_here(path), None, {}
    if "settings" in told:
        try:
            job = HOST.check(checked(told["settings"]))
            settings, said = widgets_of(page, job), "This file brought its settings along; they stand in the knobs."
        except Exception as error:
            said = f"The settings that this file carries were not taken over: {explain(error)}"
    try:
        size = (job.run if job else RunSettings(size=values[page.knobs["run", "size"]])).size
        picture = fit(open_picture(path), size)
    except Exception as error:
        sentence = explain(error)
        warn(sentence)
        return {page.notes: views.notes([sentence, *([BEFORE] if values[page.record].files else [])])}
    JOBS.supersede(session, besides=own)
    original = str(save_png(picture.image, new_folder(session) / "original.png"))
    record = Record(files={"original": original}, size=picture.image.size, own=picture.opened)
    notes = picture.notes
    if told.get("kind") == "protected":
        notes = (*notes, "This file says that it was protected with this program: Purify takes it as it is.")
    if "settings" in told:
        notes = (*notes, said)
    return {
        **settings,
        **{pane: original if name == "original" else None for name, pane in page.panes.items()},
        **captions_of(page, record),
        **dict.fromkeys(page.edits.values()),
        **edit_captions_of(page, record),
        page.edit_status: views.idle(edit_views.IDLE),
        page.record: record,
        page.notes: views.notes(notes),
        page.status: views.idle(),
        **page.buttons_back,  # from the live run that was ended for it
        page.archive: gr.update(value=None, interactive=False),
        page.answer: "",
        page.whole: record.made_whole,
        page.curves: charts({}, {}),
        page.table: views.table([]),
        page.mask: mask_background(original),
        page.edit_mask: mask_background(original),
    }
