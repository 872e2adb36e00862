"""What is kept: settings from presets, files, pictures and links into the knobs and back, and the runs so far."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from impress_ui.jobs.documents import from_link, has_settings, read_settings, to_json, to_query
from impress_ui.settings import JobSettings
from impress_ui.settings.presets import EXAMPLES, PRESETS
from impress_ui.ui import views
from impress_ui.ui.captions import captions_of, edit_captions_of
from impress_ui.ui.curves import charts_of
from impress_ui.ui.forms import job_from_widgets, widgets_of
from impress_ui.ui.gathered import gathering, knobs_from, with_knobs
from impress_ui.ui.mistakes import explain, toast
from impress_ui.ui.page import PRIVATE, Page, Update, Values
from impress_ui.ui.public import HOST
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.history import views as history_views
from impress_ui.ui.rooms.history.runs import HISTORIES, PastRun, own_copy
from impress_ui.ui.sessions import session_of

# The browser makes the file, so that nothing of it is kept on the server.
SAVE = """(text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "impress-settings.json";
  link.click();
  URL.revokeObjectURL(link.href);
}"""
# The address bar has the link too: a page that is not served over https may not write to the clipboard.
COPY = """(query) => {
  const link = location.origin + location.pathname + (query ? "?" + query : "");
  history.replaceState(null, "", link);
  navigator.clipboard?.writeText(link).catch(() => {});
}"""

# Whoever restores a run wants to see it.
ENTER = "(room) => { document.getElementById(`room-${room}-button`)?.click(); }"

BUSY = "A run is under way: stop it or wait for its end, then restore the other one."


class Keep:
    """The handlers; each takes what its input widgets hold and gives updates by widget."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def connect(self) -> list[Any]:
        """Attach them, through the queue: a mistake outside it reaches the browser without its sentence.

        Returns:
            The events that bring back the pictures of another run.
        """
        page = self.page
        knobs = with_knobs(page)
        restored = [*page.knobs.values(), *(area for area, _ in page.areas.values())]
        gathering(page, page.preset.input)(self.preset, with_knobs(page, [page.preset]), restored, **PRIVATE)
        page.imported.upload(self.import_file, {page.imported}, restored, **PRIVATE)
        gathering(page, page.exported.click)(self.export, knobs, [page.document], **PRIVATE).success(
            None, [page.document], js=SAVE, **PRIVATE
        )
        gathering(page, page.copied.click)(self.link, knobs, [page.document], **PRIVATE).success(
            None, [page.document], js=COPY, **PRIVATE
        )
        page.shared.click(self.open_link, [page.document], restored, js="() => location.search", **PRIVATE)
        for pick in (page.past, page.past_other):
            pick.input(
                self.look,
                [page.past, page.past_other],
                [page.past_archive, page.past_report, page.past_view],
                **PRIVATE,
            )
        replayed = [page.document, *restored, *self._replayed(), page.reconstruction_of]
        replayed += [page.archive, *page.run_buttons, *page.stop_buttons]
        back = page.past_restore.click(self.restore, {page.past}, replayed, **PRIVATE)
        back.success(None, [page.document], js=ENTER, **PRIVATE)
        taken = page.ghost.click(
            self.take_back, [page.document], replayed, js="() => String(window.impressRun ?? '')", **PRIVATE
        )
        return [back, taken]

    def connect_examples(self, dataset: gr.Dataset) -> None:
        """An example brings its settings along."""
        restored = [*self.page.knobs.values(), *(area for area, _ in self.page.areas.values())]
        dataset.select(self.example, None, restored, **PRIVATE)

    def preset(self, values: Values) -> Update:
        """A preset's settings; the seed, the model and the prompts stay."""
        values = knobs_from(self.page, values)
        chosen = values[self.page.preset]
        if chosen is None:  # the keyboard went over the list, and chose nothing
            return self._nothing
        try:
            job = job_from_widgets(self.page, values)
        except Exception:  # what stands in a knob is not valid, and is about to be replaced
            job = JobSettings()
        return self._set(PRESETS[chosen].applied_to(job))

    def example(self, chosen: gr.SelectData, request: gr.Request) -> Update:
        """The settings of the example that was clicked, unless its picture is turned away for a run."""
        from impress_ui.ui.runs import JOBS

        if not JOBS.free(session_of(request), but_opening=True):
            return self._nothing
        return self._set(list(EXAMPLES.values())[chosen.index].job)

    def import_file(self, values: Values) -> Update:
        """The settings of a JSON file or a saved PNG."""
        path = values[self.page.imported]
        try:
            job = HOST.check(read_settings(Path(path)))
        except Exception as error:
            raise toast(explain(error)) from None
        gr.Info(f"The settings of {html.escape(Path(path).name)} stand in the knobs now.")
        return self._set(job)

    def export(self, values: Values) -> str:
        """The settings as they stand, as JSON."""
        return to_json(self._job(values))

    def link(self, values: Values) -> str:
        """The settings as they stand, as a query."""
        query = to_query(self._job(values))
        gr.Info("The link is copied, and stands in the address bar." if query else "Every setting is at its default.")
        return query

    def open_link(self, query: str) -> Update:
        """The settings of the link that the page was opened with."""
        if not has_settings(query or ""):
            return self._nothing
        try:
            job = HOST.check(from_link(query))
        except Exception as error:
            raise toast(explain(error)) from None
        return self._set(job)

    def look(self, number: int | None, other: int | None, request: gr.Request) -> list[Any]:
        """A run of the past, beside another one."""
        run = HISTORIES.find(session_of(request), number)
        return [
            archive_of(run),
            report_of(run),
            history_views.compared(run, HISTORIES.find(session_of(request), other)),
        ]

    def restore(self, values: Values, request: gr.Request) -> Update:
        """The run that is chosen in the list."""
        run = HISTORIES.find(session_of(request), values[self.page.past])
        if run is None:
            raise toast("There is no run to restore yet: choose one.")
        return self._restored(run, request)

    def take_back(self, number: str, request: gr.Request) -> Update:
        """The run of a faint curve that was clicked."""
        run = HISTORIES.find(session_of(request), int(number)) if number.isdigit() else None
        if run is None:
            raise toast("That run is not kept any more.")
        return self._restored(run, request)

    def _restored(self, run: PastRun, request: gr.Request) -> Update:
        """A run's settings, pictures, curves and tables, as it left them."""
        from impress_ui.ui.runs import JOBS

        page = self.page
        if JOBS.supersede(session_of(request)) is None:  # what it says next would stand among what is restored
            raise toast(BUSY)
        widgets, allowed_here = page.by_number, set(self._replayed())
        shown = {
            widgets[number]: value
            for number, value in own_copy(run.shown).items()
            if widgets.get(number) in allowed_here
        }
        record = shown_record(page, replace(run.record, run=run.number))
        answer = {page.answer: shown[page.answer]} if page.answer in shown else {}  # of a check, too
        return {
            **page.buttons_back,
            page.status: views.idle(),
            **self._set(run.job),
            **shown,
            **record,
            **answer,
            page.archive: archive_of(run),
            page.document: run.room,
        }

    def _replayed(self) -> list[Component]:
        """What a run may have set, but for the buttons and the knobs."""
        page = self.page
        buttons = {*page.run_buttons, *page.stop_buttons, *page.after_run, page.upload, page.mask, page.edit_mask}
        left_out = buttons | set(page.knobs.values()) | {area for area, _ in page.areas.values()}
        kinds = (gr.Image, gr.HTML, gr.Gallery, gr.File, gr.State)
        inputs = {page.target, *(widget for room in page.rooms.values() for widget in room.given)}
        return [
            widget
            for widget in page.by_number.values()
            if isinstance(widget, kinds) and widget not in left_out | inputs and widget is not page.past_view
        ]

    def _job(self, values: Values) -> JobSettings:
        try:
            return job_from_widgets(self.page, knobs_from(self.page, values))
        except Exception as error:
            raise toast(explain(error)) from None

    @property
    def _nothing(self) -> Update:
        """An update that changes nothing: without any Gradio misses the values of its outputs."""
        return {self.page.knobs["run", "seed"]: gr.update()}

    def _set(self, job: JobSettings) -> Update:
        return widgets_of(self.page, job)


def archive_of(run: PastRun | None) -> Any:
    """A download button's update for a run's zip."""
    return _file(run.archive if run else None)


def report_of(run: PastRun | None) -> Any:
    """A download button's update for a run's report."""
    return _file(run.report if run else None)


def _file(path: str | None) -> Any:
    return gr.update(value=path, interactive=bool(path))


def runs_after(page: Page, session: str) -> Update:
    """The lists of runs once one was added: the newest is looked at, beside the one before it."""
    runs = HISTORIES.runs(session)
    choices = [(run.label, run.number) for run in runs]
    newest, before = runs[0], runs[1] if len(runs) > 1 else None
    return {
        page.past: gr.update(choices=choices, value=newest.number),
        page.past_other: gr.update(choices=choices, value=before.number if before else None),
        page.archive: archive_of(newest),
        page.past_archive: archive_of(newest),
        page.past_report: report_of(newest),
        page.past_view: history_views.compared(newest, before),
    }


def shown_record(page: Page, record: Record) -> Update:
    """Everything that a record says, in its place."""
    return {
        page.record: record,
        **{pane: record.files.get(name) for name, pane in page.panes.items() if name != "reconstructed"},
        page.panes["reconstructed"]: record.files.get("V(protected)"),
        page.reconstruction_of: "protected",
        **captions_of(page, record),
        page.answer: views.answer(record.rows),
        page.whole: record.made_whole,
        page.curves: charts_of(record),
        page.table: views.table(record.rows),
        **{widget: record.edits[name].file if name in record.edits else None for name, widget in page.edits.items()},
        **edit_captions_of(page, record),
    }
