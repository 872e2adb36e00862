"""A stress test on the page, as a stream of updates."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gradio as gr
from PIL import Image

from impress_ui.jobs.archive import zip_folder
from impress_ui.jobs.items import ItemStep
from impress_ui.jobs.saving import save_row, save_stress
from impress_ui.jobs.stress import StressTest
from impress_ui.jobs.stress_verdict import verdict
from impress_ui.methods.optimise import ShouldStop
from impress_ui.ui import runs, views
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import INTERVAL
from impress_ui.ui.queue import throttled
from impress_ui.ui.rooms.stress import views as stress_views

ZIP, TITLE = "stress-test.zip", "A stress test of one protected picture"


class StressRun(PageJob):
    """The purifiers one after the other, the table and the scatter filling as they end."""

    title, parts, room = "Stress test", ("stress",), "stress"

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        room, began = self.here, time.monotonic()
        protected, original = self._pictures()
        test = StressTest(protected, self.job, original)
        stopped = False
        yield dict.fromkeys((room.verdict, room.scatter, room.table), "") | {
            room.zip: gr.update(visible=False), room.pictures: gr.update(visible=False)
        }  # fmt: skip
        for step, due in throttled(test.run(should_stop), INTERVAL, _telling):
            stopped = step.stopped
            if due:
                shown = self._shown(test) if step.done else {}
                yield {room.status: stress_views.running(step, test), **shown}
        save_stress(test, self.folder, stopped=stopped)
        yield {
            room.verdict: stress_views.verdict(verdict(test, stopped=stopped)),
            room.zip: gr.update(value=str(zip_folder(self.folder, ZIP, TITLE, self.job)), visible=True),
        }
        told = f"{len(test.ranking)} of {len(self.job.stress.purifiers)} purifiers"
        yield self.ready(f"{told} in {views.duration(time.monotonic() - began)}", stopped)

    def _pictures(self) -> tuple[Image.Image, Image.Image | None]:
        """The protected picture and its original: those from elsewhere, or the page's, or the upload as it is."""
        page, room, values = self.page, self.here, self.values
        if values[room.protected]:
            given = values[room.original]
            original = runs.open_at(given, self.job).image if given else None
            return runs.open_at(values[room.protected], self.job).image, original
        if "protected" in self.record.files:
            known = "original" in self.record.files
            return self.image("protected"), self.image("original") if known else None
        return runs.open_at(values[page.upload], self.job).image, None

    def _shown(self, test: StressTest) -> Update:
        room = self.here
        rows = [*test.baseline, *test.ranking]
        return {
            room.scatter: stress_views.scatter(test),
            room.table: stress_views.table(test),
            room.pictures: gr.update(
                value=[(str(save_row(row, self.folder, self.job)), row.name) for row in rows], visible=True
            ),
        }


def _telling(step: ItemStep) -> bool:
    """A row that was added is always shown, and so is the end."""
    return step.done or step.stopped
