"""A purification as the page runs it, for the benchmark: what streaming adds to the loop."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
from PIL import Image

from impress_ui.jobs import workflow
from impress_ui.methods.optimise import ShouldStop
from impress_ui.pictures.images import Picture
from impress_ui.settings import JobSettings
from impress_ui.ui.layout import build_page
from impress_ui.ui.page_job import Update
from impress_ui.ui.progress import work_of
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.story.run import PageRun


class StreamedPurification(PageRun):
    """The page's stream of one purification: its updates, each made ready for the browser, and nothing measured."""

    def __init__(self, image: Image.Image, job: JobSettings) -> None:
        with gr.Blocks(analytics_enabled=False):
            page = build_page()
        super().__init__(page, {page.record: Record(size=image.size)}, "benchmark", "purify")
        self.image_to_purify, self.job = image, job

    def run(self) -> None:
        """Run it to its end, as gradio would: every value passes its widget's own postprocessing."""
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            for update in self.work(lambda: False):
                for widget, value in update.items():
                    widget.postprocess(value)

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        steps = workflow.purify_picture(self.image_to_purify, self.job, should_stop=should_stop)
        work = work_of("purify", self.job, self.image_to_purify.size)
        yield from self._follow(work, "purified", steps, None, Picture(self.image_to_purify))
