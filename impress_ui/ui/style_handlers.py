"""The handlers of the Style section. The core is imported inside, as in ``handlers``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from impress_ui.ui import style_views
from impress_ui.ui.handlers import DEVICE, PRIVATE, Update, Values
from impress_ui.ui.page import Page

SHOWN = 8  # works in the strip under the artist's name
# Settings that a study makes no use of.
UNUSED = {("generate", name) for name in ("prompt", "count", "width", "height")}


class StyleHandlers:
    """Whose works, the study itself, and the line that tells its cost."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def connect(self, demo: gr.Blocks) -> None:
        """Attach every handler of the section."""
        page = self.page
        knobs = [widget for key, widget in page.knobs.items() if key[0] != "edit" and key not in UNUSED]
        asked = [page.style_artist, page.style_files, page.style_name, page.style_protection]
        inputs = {*page.knobs.values(), *asked, page.record, page.upload}
        outputs = [
            page.style_status, *page.style_sets.values(), *page.style_imitations.values(), page.style_losses,
            page.style_bars, page.style_verdict, page.style_zip, page.record, page.verdict,
            *page.edit_captions.values(), *page.run_buttons, *page.stop_buttons,
        ]  # fmt: skip
        hints = [page.style_hint, page.style_run]
        run = page.style_run.click(self.run, inputs, outputs, trigger_mode="once", **DEVICE, **PRIVATE)
        run.then(self.hint, inputs, hints, **PRIVATE)
        for changes, handler, needed, changed in (
            ([demo.load, page.style_artist.input, page.style_files.change], self.works, {*asked}, [page.style_strip]),
            ([demo.load, *(widget.change for widget in [*asked, *knobs])], self.hint, inputs, hints),
        ):
            gr.on(changes, handler, needed, changed, trigger_mode="always_last", **PRIVATE)

    def run(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Study a style: protect, purify, fine-tune, imitate, judge."""
        from impress_ui.ui.style_run import StyleRun

        yield from StyleRun(self.page, values, request.session_hash, self.page.style_status).updates()

    def works(self, values: Values) -> list[tuple[Any, str]]:
        """Some works of the artist, or the visitor's own pictures."""
        from impress_ui.core.artists import works
        from impress_ui.core.images import SUFFIXES

        files = [file for file in values[self.page.style_files] or () if file.lower().endswith(tuple(SUFFIXES))]
        if files:
            return [(file, f"your picture {number}") for number, file in enumerate(files[:SHOWN], 1)]
        return [(work.image, work.caption) for work in works(values[self.page.style_artist], "train", count=SHOWN)]

    def hint(self, values: Values, request: gr.Request) -> Update:
        """What the study will take, and whether the button begins it or goes on with it."""
        from impress_ui.ui.runs import STUDIES
        from impress_ui.ui.style_plan import cost, wanted_on

        page = self.page
        try:
            wanted = wanted_on(page, values)
        except Exception:  # the run itself says what is wrong with the settings
            return {page.style_hint: "", page.style_run: gr.skip()}
        known = STUDIES.get(request.session_hash)
        told = style_views.hint(wanted.works, wanted.job.mimic.imitations, bool(wanted.files), *cost(wanted))
        goes_on = known is not None and known[0] == wanted
        return {page.style_hint: told, page.style_run: gr.update(value=style_views.button(goes_on))}
