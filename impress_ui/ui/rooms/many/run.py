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
from impress_ui.jobs.saving import as_saved, save_result, save_stress
from impress_ui.jobs.stress import StressTest
from impress_ui.jobs.stress_verdict import verdict
from impress_ui.methods.optimise import ShouldStop
from impress_ui.pictures.images import Picture, open_picture
from impress_ui.ui import runs, views
from impress_ui.ui.mistakes import explain
from impress_ui.ui.page import Page
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import INTERVAL, follow, work_of
from impress_ui.ui.queue import throttled
from impress_ui.ui.rooms.many import views as many_views
from impress_ui.ui.rooms.many.strip import Given

MASKED = "the painted mask belongs to the picture above, and was left out here"


class ManyRun(PageJob):
    """Protect, purify or stress-test every picture of the strip; what was protected here is purified and tested."""

    archive = "impress-pictures.zip"

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str, what: str) -> None:
        super().__init__(page, values, session, page.status)
        self.what, self.strip = what, values[page.rooms["many"].strip]
        self.parts = (what,) * self.strip.count
        self.title = f"{many_views.WORDS[what]} {many_views.pictures(self.strip.count)}"
        # Of each picture the file and the words that stand in the strip.
        self.shown = {given.name: (given.thumbnail, f"{given.name}: waiting") for given in self.strip.pictures}
        self.made: dict[str, Path] = {}  # by the name in the zip
        self.rows: list[dict[str, Any]] = []
        self.failed = dict(self.strip.failed)

    def curves(self) -> tuple[Mapping[str, Sequence[float]], Mapping[str, int]]:
        return {}, {}  # a picture's losses stand in its own report

    def files(self) -> dict[str, Path]:
        return self.made

    def measures(self) -> Any:
        return {"pictures": self.rows, "failed": self.failed}

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        pictures, began, room = self.strip.pictures, time.monotonic(), self.page.rooms["many"]
        if not pictures:
            raise UserError("There are no pictures in the strip: choose several first.")
        yield self._strip()
        begun = 0
        for number, given in enumerate(pictures):
            if should_stop():
                break
            begun += 1
            yield self._strip(given.name, "in work")
            try:
                yield from self._one(given, number, should_stop)
            except Exception as error:
                self.failed[given.name] = explain(error, self.job)
                yield self._strip(given.name, "not done")
            yield self._strip()
        for given in pictures[begun:]:
            yield self._strip(given.name, "not begun")
        whole = sum(not (row["stopped"] or row.get("fault")) for row in self.rows)
        parts = [
            f"{whole} of {many_views.pictures(self.strip.count)} {many_views.DONE[self.what]} "
            f"in {views.duration(time.monotonic() - began)}"
        ]
        if partial := len(self.rows) - whole:
            parts.append(f"{partial} in part")
        if begun < len(pictures):
            parts.append(f"{len(pictures) - begun} not begun")
        if self.failed:
            parts.append(f"{len(self.failed)} could not be")
        if self.what != "stress" and runs.mask_of(self.values[self.page.mask]) is not None:
            parts.append(MASKED)
        told = "; ".join(parts)
        yield {room.told: many_views.told(self.strip.count, self.failed, f"{told}."), room.strip: self.strip}
        yield self.ready(told, should_stop())

    def _strip(self, name: str = "", state: str = "") -> Update:
        """The strip as it stands; ``name``: the picture that is in another state now."""
        room = self.page.rooms["many"]
        if name:
            self.shown[name] = (self.shown[name][0], f"{name}: {state}")
        return {room.pictures: list(self.shown.values()), room.strip: self.strip}

    def _one(self, given: Given, number: int, should_stop: ShouldStop) -> Iterator[Update]:
        name, count = given.name, len(self.strip.pictures)
        where = f"picture {number + 1} of {count}, {name}: "
        picture = runs.open_at(given.path, self.job, whole=self.what != "stress")
        taken, protected = ("", None) if self.what == "protect" else self._protected(given, picture)
        if self.what == "stress":
            original = None if protected is None else picture.image
            yield from self._tested(protected or picture.image, original, given, taken, number, should_stop)
            return
        if self.what == "protect":
            picture, target = self.aimed(picture)
            steps = workflow.protect_picture(picture.image, self.job, target=target, should_stop=should_stop)
        else:
            steps = workflow.purify_picture(protected or picture.image, self.job, should_stop=should_stop)
        for progress in follow(work_of(self.what, self.job, picture.image.size), steps):
            timing = progress.timing
            share = (number + (timing.index / timing.steps if timing.steps else 1)) / count
            pace = (timing.rate, timing.seconds_left)
            line = views.running(timing.phase, timing.index, timing.steps, *pace, where, share)
            yield {self.status: line}
        seen = as_saved(progress.result, picture, self.job)
        measures = workflow.measures_of(seen, self.job, picture.image)
        facts = {**self.facts(progress), "fault": progress.step.fault}
        picture = picture.noted(*filter(None, [progress.step.note]))
        kind = many_views.DONE[self.what]
        described = workflow.describe_result(kind, self.job, measures=measures, **facts)
        made = save_result(progress.result, self.folder / f"{name}-{kind}.png", described, picture, self.job)
        if self.what == "protect":
            self.strip = dataclasses.replace(self.strip, protected={**self.strip.protected, name: str(made)})
        row = {"name": name, "file": made.name, "taken": taken, "notes": list(picture.notes), "measures": measures}
        self.rows.append(json.loads(json.dumps({**row, **facts}, allow_nan=False)))
        self.made[made.name] = made
        known = self.what == "protect" or protected is not None
        ended = progress.step.fault or progress.step.note or ("stopped" if progress.stopped else "")
        caption = many_views.caption(self.what, measures, known=known, taken=taken, ended=ended)
        self.shown[name] = (str(made), f"{name}: {caption}")

    def _tested(
        self, protected: Image.Image, original: Image.Image | None, given: Given, taken: str, number: int,
        should_stop: ShouldStop,
    ) -> Iterator[Update]:  # fmt: skip
        """The purifiers on one picture; its table, scatter and pictures stand in a folder of its own in the zip."""
        test, name, count = StressTest(protected, self.job, original), given.name, len(self.strip.pictures)
        stopped = False
        for step, due in throttled(test.run(should_stop), INTERVAL, lambda step: step.done or step.stopped):
            stopped = step.stopped
            if due:
                told = f"picture {number + 1} of {count}, {name}: {step.number} of {step.count} purifiers done"
                share = (number + step.number / step.count) / count
                yield {self.status: views.status("Testing", told, "running", share)}
        folder = self.folder / name
        folder.mkdir()
        save_stress(test, folder, stopped=stopped)
        self.made |= {f"{name}/{file.name}": file for file in sorted(folder.iterdir())}
        said = verdict(test, stopped=stopped)
        self.rows.append({"name": name, "taken": taken, "verdict": said, "stopped": stopped, **test.report()})
        self.shown[name] = (self.shown[name][0], f"{name}: {f'{taken}; ' if taken else ''}{said}")

    def _protected(self, given: Given, picture: Picture) -> tuple[str, Image.Image | None]:
        """What a picture of this strip was protected as, at this working size; and in words, what is taken if none."""
        file = self.strip.protected.get(given.name)
        if not file or not Path(file).is_file():
            return many_views.AS_GIVEN, None
        image = open_picture(file).image
        return ("", image) if image.size == picture.image.size else (many_views.OTHER_SIZE, None)
