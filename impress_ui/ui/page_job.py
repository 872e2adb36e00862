"""What every job of the page shares: its pictures and previews, and how it says that it is done."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from PIL import Image

from impress_ui.jobs import workflow
from impress_ui.jobs.archive import write_zip
from impress_ui.pictures.images import Picture, open_picture, save_png, with_target
from impress_ui.ui import views
from impress_ui.ui.captions import captions_of, edit_captions_of
from impress_ui.ui.lifecycle import Lifecycle
from impress_ui.ui.page import Page, Update
from impress_ui.ui.progress import Progress, SampleProgress, Timing

PREVIEWS_KEPT = 24  # half of them the last few seconds'
FILE_NAMES = {"V(original)": "reconstruction-of-original", "V(protected)": "reconstruction-of-protected",
              "V(purified)": "reconstruction-of-purified"}  # fmt: skip


class PageJob(Lifecycle):
    """The job that one click asked for: the pictures that it keeps and shows, and how it says that it is done."""

    archive = ""  # the name of the zip that ``ready`` packs; none for jobs that pack their own

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str, status: Component) -> None:
        super().__init__(page, values, session, status)
        self.images: dict[str, Image.Image] = {}
        self._previews: list[Path] = []

    @property
    def here(self) -> Any:
        """The room that the job runs in, with its widgets."""
        return self.page.rooms[self.room]

    def aimed(self, picture: Picture) -> tuple[Picture, Image.Image | None]:
        """The picture with the target's notes, and the target, where the protection aims at one."""
        aims = self.job.protect.target == "image"
        return with_target(picture, self.values[self.page.target] if aims else None)

    def ready(self, told: str, stopped: bool) -> Update:
        """The last update: how it ended, what computed it, its zip, and the buttons given back."""
        kept = "; the partial result is kept" if stopped else ""
        if self.own and self.own.cut:
            kept = f"; ended early: {self.own.cut}{kept}"
        phase, state, share = ("Stopped", "stopped", None) if stopped else ("Done", "done", 1.0)
        machine = f"{workflow.load_autoencoder(self.job.run).describe()}, seed {self.job.run.seed}"
        update = self._buttons_back(views.status(phase, told + kept, state, share, machine))
        if self.archive:
            path = write_zip(
                self.folder / self.archive, f"{self.title}: {told}{kept}", self.job, self.files(),
                curves=self.curves()[0], measures=self.measures(),
            )  # fmt: skip
            update[self.page.archive] = gr.update(value=str(path), interactive=True)
        return update

    def measures(self) -> Any:
        """What was measured, as plain data for the zip."""
        return self.record.rows

    def files(self) -> dict[str, Path]:
        """The pictures for the zip, by their names in it."""
        record = self.record
        edits = (edit.file for edit in record.edits.values())
        paths = [*record.files.values(), *(record.made_whole or ()), *edits]
        return {Path(path).name: Path(path) for path in paths}

    def progress(self, timing: Timing) -> Update:
        """The status line at a step."""
        line = views.running(timing.phase, timing.index, timing.steps, timing.rate, timing.seconds_left)
        return {self.status: line}

    def facts(self, progress: Progress | SampleProgress) -> dict[str, Any]:
        """How a run ended, for the metadata of what it made."""
        timing = progress.timing
        return {"stopped": progress.stopped, "steps_done": timing.index, "seconds": round(timing.seconds, 2)}

    def start_over(self, name: str, picture: Picture) -> Update:
        """A new first picture in its pane; whatever was made from another one is gone, and its edits are stale."""
        page = self.page
        self.record = replace(
            self.record, files={}, size=picture.image.size, curves={}, steps={}, rows=[], ghosts=(), scrub=(),
            own=picture.opened, whole={}, tiled=(),
        )  # fmt: skip
        self.images = {}
        first = self.keep(name, picture.image)
        return {
            **{widget: first if pane == name else None for pane, widget in page.panes.items()},
            **captions_of(page, self.record),
            **edit_captions_of(page, self.record),
            page.notes: views.notes(picture.notes),
            page.answer: "",
            page.whole: self.record.made_whole,
            page.table: views.table([]),
            page.record: self.record,
        }

    def keep(self, name: str, image: Image.Image, **facts: Any) -> str:
        """Save a picture with what made it, and remember it."""
        kind = "reconstructed" if name in FILE_NAMES else name
        described = workflow.describe_result(kind, self.job, **facts)
        path = str(save_png(image, self.folder / f"{FILE_NAMES.get(name, name)}.png", described))
        self.images[name] = image
        self.record = replace(self.record, files={**self.record.files, name: path})
        return path

    def image(self, name: str) -> Image.Image:
        """A picture of the record, opened once."""
        if name not in self.images:
            self.images[name] = open_picture(self.record.files[name]).image
        return self.images[name]

    def preview(self, image: Image.Image) -> str:
        """A file for a picture that is soon replaced by the next.

        The last ones are kept for slow browsers, and of those before them so many that they span the run.
        """
        self._previews.append(save_png(image, self.folder / f"preview-{uuid.uuid4().hex}.png"))
        if len(self._previews) > PREVIEWS_KEPT:
            for path in (dropped := self._previews[1 : -PREVIEWS_KEPT // 2 : 2]):
                path.unlink(missing_ok=True)
            self._previews = [path for path in self._previews if path not in dropped]
        return str(self._previews[-1])

    def is_kept(self, preview: str) -> bool:
        """Whether a preview's file is still there."""
        return Path(preview) in self._previews
