"""Universal perturbations on the page: learning one over uploaded pictures, and adding one to the picture at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.jobs.saving import save_perturbation, squares_of
from impress_ui.methods.optimise import ShouldStop, Step
from impress_ui.pictures.images import Picture
from impress_ui.ui import views
from impress_ui.ui.page import Page
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import Progress, SampleProgress, follow, learning
from impress_ui.ui.rooms.story.run import PageRun


class LearnRun(PageJob):
    """Learn a perturbation as the protection's settings say; the picture on the page stays as it is."""

    title, parts = "Learn a universal perturbation", ("protect",)

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        page, values = self.page, self.values
        images = squares_of(values[page.rooms["universal"].works] or (), self.job.run.size)
        _, target = self.aimed(Picture(images[0]))
        steps = workflow.learn_universal(images, self.job, target=target, should_stop=should_stop)
        for progress in follow(learning(self.job, len(images)), steps):
            yield self.progress(progress.timing)
        facts = {"pictures": len(images), **self.facts(progress)}
        path = save_perturbation(progress.step, self.folder / "universal.png", self.job, **facts)
        yield {page.rooms["universal"].file: gr.update(value=str(path))}
        many = f"{len(images)} picture{'' if len(images) == 1 else 's'}"
        told = f"learnt over {many} {views.ending(progress.timing, progress.stopped)}"
        yield self.ready(told, progress.stopped)


class AddRun(PageRun):
    """Protect the picture with a perturbation that was learnt before."""

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str) -> None:
        super().__init__(page, values, session, "protect")
        self.title = "Add a universal perturbation"

    def protection(
        self, image: Image.Image, mask: Image.Image | None, target: Image.Image | None, should_stop: ShouldStop
    ) -> Iterator[Step]:
        given = self.values[self.page.rooms["universal"].file]
        if not given:
            raise UserError("There is no perturbation yet: learn one, or choose the file of one.")
        return workflow.apply_universal(image, Path(given), self.job, mask=mask)

    def facts(self, progress: Progress | SampleProgress) -> dict[str, Any]:
        return {**super().facts(progress), "universal": Path(self.values[self.page.rooms["universal"].file]).name}
