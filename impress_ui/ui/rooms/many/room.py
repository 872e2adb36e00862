"""Several pictures at once: a strip on the bench, and what is done with all of it."""

from __future__ import annotations

import functools
from typing import Any

import gradio as gr

from impress_ui.settings import JobSettings, RunSettings
from impress_ui.ui.components import lossless
from impress_ui.ui.engine import load_engine
from impress_ui.ui.mistakes import explain, warn
from impress_ui.ui.page import PRIVATE, Page, Room, Update, Values
from impress_ui.ui.rooms.many import views as many_views
from impress_ui.ui.rooms.many.strip import Strip, laid_out
from impress_ui.ui.sessions import session_of

BUSY = "These pictures were not taken, for a run is under way: stop it or wait for its end, then choose them again."


class ManyStrip(Room):
    """The pictures in a row with a line under each; below them what can be done with all of them."""

    name = "many"

    def ask(self) -> None:
        """The button that takes several files; files dropped together on the picture come to it: assets/many.js."""
        self.add = gr.UploadButton(
            "Several…", file_count="multiple", file_types=["image"], type="filepath", size="sm", elem_id="many-add",
            min_width=40,
        )  # fmt: skip

    def build(self, page: Page) -> None:
        """The strip, which is seen once there are files: assets/compare.css."""
        self.strip = gr.State(Strip())
        with gr.Column(elem_id="many-area"):
            self.told = gr.HTML("", elem_id="many-told")
            self.pictures = lossless(
                gr.Gallery, "Your pictures", type="filepath", interactive=False, columns=6, height="auto",
                object_fit="contain", show_label=False, buttons=["download", "fullscreen"], elem_id="many-pictures",
                elem_classes="style-gallery",
            )  # fmt: skip
            with gr.Row(elem_id="many-buttons"):
                self.runs = {
                    what: gr.Button(f"{words} all", size="sm", min_width=90, elem_id=f"many-{what}")
                    for what, words in many_views.WORDS.items()
                }
                self.away = gr.Button("Put away", size="sm", min_width=80, elem_id="many-away")
            self.hint = gr.HTML("", elem_id="many-hint")
        self.read = (self.strip,)
        # What would change the strip under a run's hands waits for its end, as the runs do.
        self.run_buttons = (*self.runs.values(), self.add, self.away)
        self.telling, self.galleries = (self.told,), (self.pictures,)

    def connect(self, shell: Any) -> None:
        """Files that come and go, and the runs over all of them."""
        shown = [self.strip, self.told, self.pictures]
        self.size = shell.page.knobs["run", "size"]
        shell.hints_after(self.add.upload(self.take, {self.add, self.size}, shown, **PRIVATE))
        self.away.click(self.put_away, None, shown, **PRIVATE)
        for what, button in self.runs.items():
            job = functools.partial(self.job, what)
            shell.hints_after(
                shell.starts(button, job, [shell.page.target, shell.page.mask], [shell.page.status, *shown])
            )

    def job(self, what: str, page: Page, values: Values, session: str) -> Any:
        """The job of a click."""
        from impress_ui.ui.rooms.many.run import ManyRun

        return ManyRun(page, values, session, what)

    def take(self, values: Values, request: gr.Request) -> Update:
        """Files that were chosen together take the place of those that lay there."""
        load_engine()
        from impress_ui.ui.runs import JOBS

        if not JOBS.free(session_of(request), but_opening=True):  # its next word would put the strip back
            warn(BUSY)
            return {self.strip: gr.update()}
        try:
            size = RunSettings(size=values[self.size]).size
            strip = laid_out([str(file) for file in values[self.add] or ()], size, session_of(request))
        except Exception as error:
            warn(explain(error))
            return {self.strip: gr.update()}  # as it was
        return {
            self.strip: strip,
            self.pictures: [(given.thumbnail, f"{given.name}: {many_views.AS_GIVEN}") for given in strip.pictures],
            self.told: many_views.told(strip.count, strip.failed),
        }

    def put_away(self) -> list[Any]:
        """The strip is empty again."""
        return [Strip(), "", []]

    def expects(self, page: Page, values: Values, job: JobSettings | None) -> str:
        """What protecting and purifying all of them will take, by the runs so far, were they as large as this one."""
        from impress_ui.ui.progress import expected

        record = values[page.record]
        count, size = len(values[self.strip].pictures), record.own or record.size
        if not count or job is None or size is None:
            return ""
        costs = {kind: expected(kind, job, size) for kind in ("protect", "purify")}
        return many_views.hint({what: count * cost for what, cost in costs.items() if cost})
