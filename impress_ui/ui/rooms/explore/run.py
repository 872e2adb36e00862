"""An exploration on the page, as a stream of updates."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gradio as gr
from PIL import Image

from impress_ui.jobs.archive import zip_folder
from impress_ui.jobs.explore import Exploration, varies_protection
from impress_ui.jobs.saving import save_cell, save_exploration
from impress_ui.measures.grid import Grid, words_of
from impress_ui.methods.optimise import ShouldStop
from impress_ui.pictures.images import Picture
from impress_ui.ui import runs, views
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import INTERVAL
from impress_ui.ui.queue import throttled
from impress_ui.ui.rooms.explore import views as explore_views
from impress_ui.ui.rooms.explore.views import EXAMPLE, taken_of

ZIP, TITLE = "exploration.zip", "One or two settings varied over a picture"


class ExploreRun(PageJob):
    """The cells one after the other, the chart filling as they end."""

    title, parts, room = "Exploration", ("explore",), "explore"

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        page, room, began = self.page, self.here, time.monotonic()
        exploration = self._exploration()
        stopped = False
        yield {
            **dict.fromkeys((room.verdict, room.chart), ""),
            **dict.fromkeys((room.files, room.pictures), gr.update(visible=False)),
            room.grid: None,
        }
        for step, due in throttled(exploration.run(should_stop), INTERVAL, lambda step: step.done or step.stopped):
            stopped = step.stopped
            if due:
                shown = self._shown(exploration) if step.done else {}
                yield {room.status: explore_views.running(step, exploration.expected), **shown}
        save_exploration(exploration, self.folder, stopped=stopped)
        packed = str(zip_folder(self.folder, ZIP, TITLE, self.job))
        yield {
            room.files: gr.update(value=[str(self.folder / "explore.csv"), packed], visible=True),
            page.archive: gr.update(value=packed, interactive=True),
        }
        told = f"{len(exploration.cells)} of {exploration.count} cells"
        yield self.ready(f"{told} in {views.duration(time.monotonic() - began)}", stopped)

    def _exploration(self) -> Exploration:
        """On the picture that ``taken_of`` names."""
        page, values = self.page, self.values
        taken = taken_of(self.record, values[page.upload], self.job)
        original = self.image("original") if taken in ("original", "protected") else None
        if original is None:
            original = runs.open_at(values[page.upload] or str(EXAMPLE), self.job).image
        protected: Image.Image | None = None
        if taken == "protected":
            protected = self.image("protected")
        target = self.aimed(Picture(original))[1] if varies_protection(self.job) else None
        mask = runs.mask_of(values[page.mask]) if taken is not None else None
        return Exploration(original, self.job, protected, mask, target)

    def _shown(self, exploration: Exploration) -> Update:
        room, measure = self.here, self.job.explore.measure
        grid = Grid(exploration.grid.axes, list(exploration.grid.cells))
        pictures = [(str(save_cell(made, self.folder)), words_of(made.done.cell)) for made in exploration.cells]
        return {
            room.grid: grid,
            room.chart: explore_views.chart(grid, measure),
            room.verdict: explore_views.verdict(grid, measure),
            room.pictures: gr.update(value=pictures, visible=True),
        }
