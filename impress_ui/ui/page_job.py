"""What every job of the page shares: it waits for the device, works, and gives the buttons back whatever happens."""

from __future__ import annotations

import random
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from PIL import Image

from impress_ui.jobs import workflow
from impress_ui.jobs.archive import write_zip
from impress_ui.jobs.fetching import fetched
from impress_ui.methods.optimise import ShouldStop
from impress_ui.pictures.images import Picture, open_picture, save_png, with_target
from impress_ui.settings import JobSettings
from impress_ui.ui import runs, views, zero_gpu
from impress_ui.ui.captions import captions_of, edit_captions_of
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.mistakes import explain, warn
from impress_ui.ui.page import Page, Update, built_page
from impress_ui.ui.progress import Progress, SampleProgress, Timing
from impress_ui.ui.queue import Job
from impress_ui.ui.record import Record, new_folder
from impress_ui.ui.rooms.history.keep import runs_after
from impress_ui.ui.rooms.history.report import write_report
from impress_ui.ui.rooms.history.runs import HISTORIES, PastRun, own_copy

PREVIEWS_KEPT = 24  # half of them the last few seconds'
SETTLED = 0.2  # seconds in which a browser has shown an update
SEEDS = 2**31 - 1000  # drawn seeds stay below it, so that a run of many pictures has room for theirs
FILE_NAMES = {"V(original)": "reconstruction-of-original", "V(protected)": "reconstruction-of-protected",
              "V(purified)": "reconstruction-of-purified"}  # fmt: skip
# Where a job was stopped before it had the device.
WAITED = "while it waited; what stands here is what stood here before"
FETCHED = "while its checkpoint was fetched; files that came whole are kept"


class PageJob(ABC):
    """The job that one click asked for.

    Args:
        values: what every input widget held at the click.
        session: whose job it is, for Stop and for the files' folder.
        status: the status line of the section that was clicked in.
    """

    job: JobSettings
    folder: Path
    title: str  # what a list of runs calls it
    parts: tuple[str, ...]  # what it does, for the time that a lent GPU is asked for
    room = "story"  # where on the page its results stand
    own: Job | None = None  # its place among the jobs, once it has one
    live = False  # whether it answers a slider
    archive = ""  # the name of the zip that ``ready`` packs; none for jobs that pack their own

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str, status: Component) -> None:
        self.page, self.values, self.session, self.status = page, values, session, status
        self.record: Record = values[page.record]
        self.images: dict[str, Image.Image] = {}
        self._previews: list[Path] = []

    @property
    def here(self) -> Any:
        """The room that the job runs in, with its widgets."""
        return self.page.rooms[self.room]

    @abstractmethod
    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        """The updates of the work itself, once the device is there. The last one is ``ready``."""

    def updates(self) -> Iterator[Update]:
        """Every update of the page, the last of which gives the buttons back, also after a mistake."""
        with ExitStack() as places:
            try:
                final = yield from self._until_its_end(places)
            except Exception as error:
                sentence = explain(error, getattr(self, "job", None))
                final = self._buttons_back(views.status("Not done", sentence, "failed"))
                if self.own:
                    self.own.over = True
                if not self._superseded():
                    # Not raised: a browser shows an exception at once, and drops what was yielded just before it.
                    warn(sentence)
                    time.sleep(SETTLED)  # told at once, it would come on another's heels
                    yield {widget: value for widget, value in own_copy(final).items() if widget not in self._locked}
            # A browser may pass over one of two updates that come at once: the last says everything again, and comes by
            # itself. It alone gives the buttons back, and does not come to those who have gone on to something else.
            time.sleep(SETTLED)
            if not self._superseded():
                yield final

    @property
    def _locked(self) -> set[Component]:
        """The buttons that a job locks and gives back."""
        return {*self.page.run_buttons, *self.page.stop_buttons}

    def _superseded(self) -> bool:
        """Whether something newer stands on the page, or will: nothing of this job may then."""
        return bool(self.own and self.own.superseded)

    def _until_its_end(self, places: ExitStack) -> Generator[Update, None, Update]:
        """Every update but the last, which is returned; ``places`` holds the job's place until that has been given."""
        shown: Update = {}
        last: Update = {}
        self.job = job_from_widgets(self.page, self.values)
        if self.values[self.page.new_seed] and self.draws_seed():
            self.job = self.job.updated(run={"seed": random.SystemRandom().randrange(SEEDS)})
        busy = self._busy()
        yield own_copy(busy)
        self.own = own = places.enter_context(runs.JOBS.open(self.session, live=self.live))
        with ExitStack() as held:
            where = WAITED
            for step in fetched(self.job, self.parts, own):
                where = FETCHED
                yield {self.status: views.fetching(step)}
            where = where if own() else WAITED
            for turn in held.enter_context(runs.device_for(own)):
                yield {self.status: views.waiting(turn.ahead, turn.seconds)}
            if own():
                return self._buttons_back(views.status("Stopped", where, "stopped"))
            self.folder = new_folder(self.session)
            for update in self._where_the_gpu_is(own):
                if own.superseded:
                    break
                shown |= own_copy(update)
                self.record = update.get(self.page.record, self.record)
                last = own_copy(update)
                if self.page.run_buttons[0] in update:  # ``ready``: what is seen to be done is remembered by then
                    held.close()
                    last |= self._remember(shown)
                    own.over = True
                # A browser that falls behind may pass over the first update, which locks the buttons: it is said again.
                yield busy | {widget: value for widget, value in own_copy(last).items() if widget not in self._locked}
                busy = {}
        return own_copy(shown) | last

    def draws_seed(self) -> bool:
        """Whether this run may have a seed of its own."""
        return True

    def aimed(self, picture: Picture) -> tuple[Picture, Image.Image | None]:
        """The picture with the target's notes, and the target, where the protection aims at one."""
        aims = self.job.protect.target == "image"
        return with_target(picture, self.values[self.page.target] if aims else None)

    def curves(self) -> tuple[Mapping[str, Sequence[float]], Mapping[str, int]]:
        """The run's losses by name, and the length of each whole run."""
        return self.record.curves, self.record.steps

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

    def _where_the_gpu_is(self, should_stop: ShouldStop) -> Iterator[Update]:
        """``work`` here, or in the process that a GPU is lent to: there widgets go by their numbers."""
        if not zero_gpu.ON_ZERO_GPU:
            yield from self.work(should_stop)
            return
        own = {name: value for name, value in vars(self).items() if name not in ("page", "values", "status", "own")}
        values = {widget._id: value for widget, value in self.values.items()}
        seconds = zero_gpu.seconds_for(self.parts, self.job, self.record.own or self.record.size or (256, 256), 3)
        numbered = zero_gpu.stream(seconds, _in_worker, (type(self), own, self.status._id, values), should_stop)
        widgets = self.page.by_number
        for update in numbered:
            yield {widgets[number]: value for number, value in update.items()}

    def _remember(self, shown: Update) -> Update:
        """Add the run to the session's."""
        page = self.page
        zips = (page.archive, *(file for room in page.rooms.values() for file in room.archives))
        packed = next((file for widget in zips if (file := _zip_in(shown.get(widget)))), None)
        drawn, steps = self.curves()
        told = views.text_of(shown.get(self.status, ""))
        last = {widget._id: value for widget, value in shown.items() if not isinstance(value, Image.Image)}
        run = PastRun(self.title, self.job, self.record, told, drawn, steps, last, packed, room=self.room)
        run = replace(run, report=str(write_report(self.folder / "report.html", run, page)))
        number = HISTORIES.add(self.session, run).number
        # A run that left the losses as they were made nothing of what stands there.
        mine = self.record.curves != self.values[page.record].curves
        record = replace(self.record, run=number) if mine else self.record
        return {**runs_after(page, self.session), page.record: record}

    def _busy(self) -> Update:
        return {
            self.page.knobs["run", "seed"]: self.job.run.seed,
            **dict.fromkeys(self.page.run_buttons, gr.update(interactive=False)),
            **dict.fromkeys(self.page.stop_buttons, gr.update(interactive=True, value="Stop")),
            self.status: views.status("Starting", "opening the pictures and the model"),
        }

    def _buttons_back(self, status: str) -> Update:
        return {
            **self.page.buttons_back,
            self.status: status,
            **edit_captions_of(self.page, self.record),
            self.page.record: self.record,
        }


def _zip_in(update: Any) -> str | None:
    """The zip among the files of an update."""
    files = update.get("value") if isinstance(update, dict) else None
    return next((file for file in ([files] if isinstance(files, str) else files or []) if file.endswith(".zip")), None)


def _in_worker(
    kind: type[PageJob], own: dict[str, Any], status: int, values: dict[int, Any], *, should_stop: ShouldStop
) -> Iterator[dict[int, Any]]:
    """A job's work in a process that was forked from the one that built the page."""
    page = built_page()
    widgets = page.by_number
    job = kind.__new__(kind)
    job.__dict__ |= own | {"page": page, "status": widgets[status]}
    job.values = {widgets[number]: value for number, value in values.items()}
    for update in job.work(should_stop):
        yield {widget._id: value for widget, value in update.items()}
