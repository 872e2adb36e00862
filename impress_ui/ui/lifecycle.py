"""A job on the page from its click to its last word: it waits for the device, works, and gives the buttons back.

What a visitor does meanwhile is not undone by it: it gives way to what is newer, and leaves what stood there before.
"""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from PIL import Image

from impress_ui.jobs.fetching import fetched
from impress_ui.methods.optimise import ShouldStop
from impress_ui.settings import JobSettings
from impress_ui.ui import runs, views, zero_gpu
from impress_ui.ui.captions import edit_captions_of
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.mistakes import explain, warn
from impress_ui.ui.page import Page, Update, built_page
from impress_ui.ui.queue import Job
from impress_ui.ui.record import Record, new_folder
from impress_ui.ui.rooms.history.keep import runs_after, shown_record
from impress_ui.ui.rooms.history.report import write_report
from impress_ui.ui.rooms.history.runs import HISTORIES, PastRun, own_copy

UNDER_WAY = "Something else is still under way here, or a picture is being opened: press again once it is done."
SETTLED = 0.2  # seconds in which a browser has shown an update
SEEDS = 2**31 - 1000  # drawn seeds stay below it, so that a run of many pictures has room for theirs
# Where a job was stopped before it had the device.
WAITED = "while it waited; what stands here is what stood here before"
FETCHED = "while its checkpoint was fetched; files that came whole are kept"
HERE = ("page", "values", "status", "own", "ended", "outputs")  # what of a job no other process can be handed


class Lifecycle(ABC):
    """From the click that asked for a job to its last word.

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

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str, status: Component) -> None:
        self.page, self.values, self.session, self.status = page, values, session, status
        self.record: Record = values[page.record]
        self.settled = self.record  # what stands on the page without what is not at its end
        self.outputs: Collection[Component] = ()  # what the event that started it may set
        self.ended: list[Job] = []  # what gave way to it
        self.disturbed = False  # whether it, or what gave way to it, has shown anything that is not at its end

    @abstractmethod
    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        """The updates of the work itself, once the device is there. The last one is ``ready``."""

    def curves(self) -> tuple[Mapping[str, Sequence[float]], Mapping[str, int]]:
        """The run's losses by name, and the length of each whole run."""
        return self.record.curves, self.record.steps

    def updates(self) -> Iterator[Update]:
        """Every update of the page, the last of which gives the buttons back, also after a mistake."""
        with ExitStack() as places:
            try:
                self.own = places.enter_context(runs.JOBS.open(self.session, live=self.live))
                final = self.instead()
                if final is None:
                    final = yield from self._until_its_end(self.own)
            except Exception as error:
                sentence = explain(error, getattr(self, "job", None))
                final = self._put_back() | self._buttons_back(views.status("Not done", sentence, "failed"))
                if self.own:
                    self.own.over = True
                if not self._superseded():
                    # Not raised: a browser shows an exception at once, and drops what was yielded just before it.
                    warn(sentence)
                    time.sleep(SETTLED)  # told at once, it would come on another's heels
                    yield {widget: value for widget, value in own_copy(final).items() if widget not in self._locked}
            # A browser may pass over one of two updates that come at once: the last says everything again, and comes by
            # itself. It alone gives the buttons back.
            time.sleep(SETTLED)
            yield self._last_word(final)

    def instead(self) -> Update | None:
        """Take the place of what gives way; what to say instead of the work where that does not, else nothing."""
        assert self.own is not None
        gave_way = runs.JOBS.supersede(self.session, besides=self.own, live=self.live)
        if gave_way is None:
            warn(UNDER_WAY)
            return {self.status: gr.update()}
        self.ended = gave_way
        for record in (job.left for job in gave_way if job.left is not None):
            self.record = record
            self.values = {**self.values, self.page.record: record}
        self.disturbed = bool(gave_way)
        self._settle(self.record)
        return None

    def _settle(self, record: Record) -> None:
        self.settled = record
        if self.own:
            self.own.left = record

    def _last_word(self, final: Update) -> Update:
        """``final``, but to those who have gone on to something else what they find behind it.

        Never nothing: when a generator has ended, Gradio sends the last of its updates once more.
        """
        if self.own is None or not self.own.superseded:
            crowded = self.own is not None and self.own.crowded  # a note about what was turned away stands there
            return {widget: value for widget, value in final.items() if not (crowded and widget is self.page.notes)}
        words = {
            button: gr.update(value=final[button]["value"])
            for button in self.page.run_buttons if "value" in final.get(button, {})
        }  # fmt: skip
        return {self.status: gr.update(), **words, **({} if self.own.followed else self._put_back())}

    def _put_back(self) -> Update:
        """What stands where this job, or the one before it, has shown what it did not bring to its end."""
        page = self.page
        self.record = self.settled
        if not self.disturbed:
            return {}
        picked = {page.reconstruction_of, page.panes["reconstructed"], page.captions["reconstructed"]}
        before = shown_record(page, self.settled)
        return {
            widget: value
            for widget, value in before.items()
            if widget in self.outputs and widget not in picked and widget is not page.answer
        }

    @property
    def _locked(self) -> set[Component]:
        """The buttons that a job locks and gives back."""
        return {*self.page.run_buttons, *self.page.stop_buttons}

    def _superseded(self) -> bool:
        """Whether something newer stands on the page, or will: nothing of this job may then."""
        return bool(self.own and self.own.superseded)

    def _until_its_end(self, own: Job) -> Generator[Update, None, Update]:
        """Every update but the last, which is returned."""
        shown: Update = {}
        last: Update = {}
        self.job = job_from_widgets(self.page, self.values)
        draws = self.values[self.page.new_seed] and self.draws_seed()
        if draws:
            self.job = self.job.updated(run={"seed": random.SystemRandom().randrange(SEEDS)})
        busy = self._busy(draws)
        yield own_copy(busy)
        with ExitStack() as held:
            where = WAITED
            for step in fetched(self.job, self.parts, own):
                where = FETCHED
                yield {self.status: views.fetching(step)}
            where = where if own() else WAITED
            for turn in held.enter_context(runs.device_for(own)):
                yield {self.status: views.waiting(turn.ahead, turn.seconds)}
            if own():
                return self._put_back() | self._buttons_back(views.status("Stopped", where, "stopped"))
            self.folder = new_folder(self.session)
            for update in self._where_the_gpu_is(own):
                if own.superseded:
                    break
                self.disturbed = True
                shown |= own_copy(update)
                self.record = update.get(self.page.record, self.record)
                last = own_copy(update)
                if self.page.run_buttons[0] in update:  # ``ready``: what is seen to be done is remembered by then
                    held.close()
                    last |= self._remember(shown)
                    own.over = True
                # A slider's run stands at its end alone: the next move begins where it began.
                if own.over or not self.live:
                    self._settle(last.get(self.page.record, self.settled))
                # A browser that falls behind may pass over the first update, which locks the buttons: it is said again.
                yield busy | {widget: value for widget, value in own_copy(last).items() if widget not in self._locked}
                busy = {}
        return own_copy(shown) | last

    def draws_seed(self) -> bool:
        """Whether this run may have a seed of its own."""
        return True

    def _where_the_gpu_is(self, should_stop: ShouldStop) -> Iterator[Update]:
        """``work`` here, or in the process that a GPU is lent to: there widgets go by their numbers."""
        if not zero_gpu.ON_ZERO_GPU:
            yield from self.work(should_stop)
            return
        own = {name: value for name, value in vars(self).items() if name not in HERE}
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

    def _busy(self, draws: bool) -> Update:
        seed = {self.page.knobs["run", "seed"]: self.job.run.seed} if draws else {}  # one that is typed stays
        return {
            **seed,
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
    kind: type[Lifecycle], own: dict[str, Any], status: int, values: dict[int, Any], *, should_stop: ShouldStop
) -> Iterator[dict[int, Any]]:
    """A job's work in a process that was forked from the one that built the page."""
    page = built_page()
    widgets = page.by_number
    job = kind.__new__(kind)
    job.__dict__ |= own | {"page": page, "status": widgets[status]}
    job.values = {widgets[number]: value for number, value in values.items()}
    for update in job.work(should_stop):
        yield {widget._id: value for widget, value in update.items()}
