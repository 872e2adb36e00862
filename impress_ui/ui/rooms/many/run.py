"""A run over several pictures, one after the other; one that cannot be used leaves the others as they are."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.jobs.saving import save_stress
from impress_ui.jobs.stress import StressTest
from impress_ui.jobs.stress_verdict import verdict
from impress_ui.methods.optimise import ShouldStop
from impress_ui.pictures.files import distinct_names
from impress_ui.pictures.images import Picture, fit, open_picture, save_png
from impress_ui.settings import RunSettings
from impress_ui.ui import runs, views
from impress_ui.ui.mistakes import explain
from impress_ui.ui.page import Page
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import INTERVAL, follow, work_of
from impress_ui.ui.queue import throttled
from impress_ui.ui.record import new_folder
from impress_ui.ui.rooms.many import views as many_views

Shown = list[tuple[str, str]]  # files with their captions, as a gallery takes them


def laid_out(files: Sequence[str], session: str) -> tuple[Shown, dict[str, str]]:
    """The pictures as a strip shows them, and of each file that is none its name and why."""
    folder, failed = new_folder(session), {}
    shown: Shown = []
    for path, name in zip(files, distinct_names([Path(file) for file in files]), strict=True):
        try:
            picture = fit(open_picture(path), RunSettings().size)
            shown.append((str(save_png(picture.image, folder / f"{name}.png")), name))
        except Exception as error:
            failed[Path(path).name] = explain(error)
    return shown, failed


class ManyRun(PageJob):
    """Protect, purify or stress-test every picture of the strip; what was protected here is purified and tested."""

    archive = "impress-pictures.zip"

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str, what: str) -> None:
        super().__init__(page, values, session, page.status)
        self.what, self.strip = what, values[page.rooms["many"].strip]
        self.parts = (what,) * len(self.strip.files)
        self.title = f"{many_views.WORDS[what]} {many_views.pictures(len(self.strip.files))}"
        self.shown: dict[str, tuple[str, str]] = {}  # of each picture what stands in the strip
        self.made: dict[str, Path] = {}  # by the name in the zip
        self.rows: list[dict[str, Any]] = []
        self.failed: dict[str, str] = {}

    def curves(self) -> tuple[Mapping[str, Sequence[float]], Mapping[str, int]]:
        return {}, {}  # a picture's losses stand in its own report

    def files(self) -> dict[str, Path]:
        return self.made

    def measures(self) -> Any:
        return {"pictures": self.rows, "failed": self.failed}

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        files, began, room = self.strip.files, time.monotonic(), self.page.rooms["many"]
        if not files:
            raise UserError("There are no pictures in the strip: choose several first.")
        first, self.failed = laid_out(files, self.session)
        self.shown = {name: (file, f"{name}: waiting") for file, name in first}
        yield self._strip()
        stopped, begun = False, 0
        for number, (path, name) in enumerate(zip(files, distinct_names([Path(f) for f in files]), strict=True), 1):
            if name not in self.shown:
                continue
            if stopped := should_stop():
                break
            begun += 1
            yield self._strip(name, "in work")
            try:
                yield from self._one(path, name, f"picture {number} of {len(files)}, {name}", should_stop)
            except Exception as error:
                self.failed[Path(path).name] = explain(error, self.job)
                yield self._strip(name, "not done")
            yield self._strip()
        stopped = stopped or should_stop()
        told = f"{len(self.rows)} of {many_views.pictures(len(files))} {many_views.DONE[self.what]}"
        told += f" in {views.duration(time.monotonic() - began)}"
        if begun < len(self.shown):
            told += f"; {len(self.shown) - begun} not begun"
        if self.failed:
            told += f"; {len(self.failed)} could not be"
        yield {room.told: many_views.told(len(files), self.failed, f"{told}."), room.strip: self.strip}
        yield self.ready(told, stopped)

    def _strip(self, name: str = "", state: str = "") -> Update:
        """The gallery as it stands; ``name``: the picture that is in another state now."""
        if name:
            self.shown[name] = (self.shown[name][0], f"{name}: {state}")
        return {self.page.rooms["many"].pictures: list(self.shown.values())}

    def _one(self, path: str, name: str, where: str, should_stop: ShouldStop) -> Iterator[Update]:
        given = runs.open_at(path, self.job)
        protected = self._protected(path, given.image.size)
        if self.what == "stress":
            original = None if protected is None else given.image
            yield from self._tested(protected or given.image, original, name, where, should_stop)
            return
        image = protected if self.what == "purify" and protected is not None else given.image
        run = workflow.protect_picture if self.what == "protect" else workflow.purify_picture
        kwargs = {"target": self._target()} if self.what == "protect" else {}
        steps = run(image, self.job, should_stop=should_stop, **kwargs)
        for progress in follow(work_of(self.what, self.job, image.size), steps):
            timing = progress.timing
            pace = (timing.rate, timing.seconds_left)
            yield {self.status: views.running(timing.phase, timing.index, timing.steps, *pace, f"{where}: ")}
        measures = workflow.measures_of(progress.result, self.job, given.image)
        facts = self.facts(progress)
        kind = many_views.DONE[self.what]
        described = workflow.describe_result(kind, self.job, measures=measures, **facts)
        made = save_png(progress.result, self.folder / f"{name}-{kind}.png", described)
        if self.what == "protect":
            self.strip = dataclasses.replace(self.strip, protected={**self.strip.protected, path: str(made)})
        self._keep(name, made, given, {"measures": measures, **facts})
        known = self.what == "protect" or protected is not None
        caption = many_views.caption(name, self.what, measures, known=known, stopped=progress.stopped)
        self.shown[name] = (str(made), caption)

    def _tested(
        self, protected: Image.Image, original: Image.Image | None, name: str, where: str, should_stop: ShouldStop
    ) -> Iterator[Update]:
        """The purifiers on one picture; its table, scatter and pictures stand in a folder of its own in the zip."""
        test = StressTest(protected, self.job, original)
        stopped = False
        for step, due in throttled(test.run(should_stop), INTERVAL, lambda step: step.done or step.stopped):
            stopped = step.stopped
            if due:
                told = f"{where}: {step.number} of {step.count} purifiers done"
                yield {self.status: views.status("Testing", told, "running", step.number / step.count)}
        folder = self.folder / name
        folder.mkdir()
        save_stress(test, folder, stopped=stopped)
        self.made |= {f"{name}/{file.name}": file for file in sorted(folder.iterdir())}
        said = verdict(test, stopped=stopped)
        self.rows.append({"name": name, "verdict": said, "stopped": stopped, **test.report()})
        self.shown[name] = (self.shown[name][0], f"{name}: {said}")

    def _protected(self, path: str, size: tuple[int, int]) -> Image.Image | None:
        """What a picture of this strip was protected as, if its working size is still the same."""
        file = self.strip.protected.get(path)
        image = open_picture(file).image if file and Path(file).is_file() else None
        return image if image and image.size == size else None

    def _target(self) -> Image.Image | None:
        aims = self.job.protect.target == "image" and self.values[self.page.target]
        return open_picture(self.values[self.page.target]).image if aims else None

    def _keep(self, name: str, made: Path, given: Picture, facts: dict[str, Any]) -> None:
        row = {"name": name, "file": made.name, "notes": list(given.notes), **facts}
        self.rows.append(json.loads(json.dumps(row, allow_nan=False)))
        self.made[made.name] = made
