"""Who may compute now, and how a running job is told to stop. Knows neither a model nor a screen.

Gradio frees a cancelled job's queue slot before its step has ended, so its limits alone are no mutual
exclusion: the device has a line of its own here, first come, first served.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from impress_ui.errors import UserError

T = TypeVar("T")
MOST_WAITING = 24  # jobs in the line, beside the one that has the device
LAST_WORD = 5.0  # seconds that whoever takes a job's place waits for it to end: a step, and its last word
PER_SESSION = 4  # jobs of one visitor, so that nobody fills the line alone
SILENT = 10.0  # seconds after which a job that asks no more for its turn is passed over
GONE = 60.0  # seconds after which its place is given away
LONGEST = 600.0  # seconds that a job has a public page's device for while others wait
LOOK = 0.2  # seconds between two looks at whether a waiting job should stop
TOLD_EVERY = 1.0  # seconds between two tellings that it waits; a vanished visitor's job leaves the line at one


@dataclass(frozen=True)
class Waiting:
    """A job's place in the line for the device: how many are ``ahead`` of it, the one that computes among them."""

    seconds: float
    ahead: int


@dataclass(eq=False)
class Place:
    """A job's place in the line: when it last asked for its turn, and whether it is asking now."""

    asked: float
    asking: bool = False
    since: float | None = None  # when it got the device


class Line:
    """The device that one job at a time may use, and the jobs that wait for it in their order.

    A job whose visitor has vanished may stop asking without leaving; it must not hold up those behind it.
    """

    def __init__(self, waiting: int = MOST_WAITING, silent: float = SILENT, gone: float = GONE) -> None:
        self.most, self.silent, self.gone = waiting, silent, gone
        self._changed = threading.Condition()
        self._waiting: list[Place] = []
        self._holder: Place | None = None

    def join(self) -> Place:
        """A place at the end of the line; the caller calls ``leave`` with it, whatever happens.

        Raises:
            UserError: the line is full.
        """
        with self._changed:
            now = time.monotonic()
            self._waiting = [place for place in self._waiting if place.asking or now - place.asked < self.gone]
            if len(self._waiting) >= self.most:
                raise UserError(
                    f"{self.most} jobs are waiting already, and no more are taken; try again in a few minutes."
                )
            place = Place(now)
            self._waiting.append(place)
            return place

    def take(self, place: Place, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the turn; True gives the device, until ``leave``."""
        with self._changed:
            if place not in self._waiting:  # its place was given away while it was silent
                self._waiting.append(place)
            place.asking = True
            try:
                if not self._changed.wait_for(lambda: self._holder is None and self._is_next(place), timeout):
                    return False
                self._waiting.remove(place)
                self._holder, place.since = place, time.monotonic()
                return True
            finally:
                place.asking, place.asked = False, time.monotonic()

    def leave(self, place: Place) -> None:
        """Give back the device, or the place in the line."""
        with self._changed:
            if self._holder is place:
                self._holder = None
            elif place in self._waiting:
                self._waiting.remove(place)
            self._changed.notify_all()

    def ahead(self, place: Place) -> int:
        """How many are before it, who has the device among them."""
        with self._changed:
            before = self._waiting.index(place) if place in self._waiting else len(self._waiting)
            return before + (self._holder is not None)

    def busy(self) -> bool:
        """Whether anybody waits who still asks for the device."""
        with self._changed:
            return self._asked_for()

    def held_too_long(self, place: Place, longest: float) -> bool:
        """Whether it has had the device for more than ``longest`` seconds and somebody asks for it."""
        with self._changed:
            now = time.monotonic()
            return (
                self._holder is place and place.since is not None and now - place.since > longest and self._asked_for()
            )

    def _asked_for(self) -> bool:
        now = time.monotonic()
        return any(place.asking or now - place.asked < self.silent for place in self._waiting)

    def _is_next(self, place: Place) -> bool:
        now = time.monotonic()
        return next(p for p in self._waiting if p is place or p.asking or now - p.asked < self.silent) is place


class Job:
    """A visitor's job: call it to learn whether it should stop.

    Attributes:
        cut: why it was told to stop though nobody asked for it; empty when it was not.
        live: whether it answers a slider, so that the slider's next move takes its place.
        over: whether all is done but its last word, which says everything again: whoever comes before it takes its
            place.
        superseded: whether its place was taken; nobody waits for its result then.
        followed: whether what took it shows pictures of its own before this one's last word: a slider's next move, or
            whoever could not wait for that.
        opening: whether it opens a picture, which is over in a moment, and no run.
        left: what stands on the page once it has given way, and ``doing`` what it was about.
        crowded: whether something was turned away for it: what was said of that stays.
    """

    def __init__(self, line: Line, longest: float | None = None, *, live: bool = False, opening: bool = False) -> None:
        self.opening, self.doing = opening, ""
        self.cut, self.live, self.over, self.superseded = "", live, False, False
        self.followed, self.left, self.crowded = False, None, False
        self._line, self._longest = line, longest
        self._stopped = threading.Event()
        self._place: Place | None = None

    def stop(self) -> None:
        """Ask it to stop after its current step."""
        self._stopped.set()

    def __call__(self) -> bool:
        if self._stopped.is_set() or self._longest is None or self._place is None:
            return self._stopped.is_set()
        if self._line.held_too_long(self._place, self._longest):
            self.cut = f"others wait, and it had the device for {self._longest / 60:.0f} minutes"
            self.stop()
        return self._stopped.is_set()

    @contextmanager
    def device(self) -> Iterator[Iterator[Waiting]]:
        """The device for the length of the block, once what this gives has been iterated over to its end.

        A job that is stopped while it waits leaves that loop without the device: ask whether it should stop after it.

        Raises:
            UserError: too many jobs wait already.
        """
        place = self._place = self._line.join()
        try:
            yield self._wait(place)
        finally:
            self._line.leave(place)

    def _wait(self, place: Place) -> Iterator[Waiting]:
        began, told = time.monotonic(), float("-inf")
        while not self():
            if self._line.take(place, LOOK):
                return
            now = time.monotonic()
            if now - told >= TOLD_EVERY:
                told = now
                yield Waiting(now - began, self._line.ahead(place))


class Jobs:
    """The visitors' jobs by session, and the line for the device.

    Args:
        longest: gives the seconds that a job may have the device for while others wait; None for as long as it takes.
    """

    def __init__(self, per_session: int = PER_SESSION, longest: Callable[[], float | None] = lambda: None) -> None:
        self.line = Line()
        self.per_session, self.longest = per_session, longest
        self._guard = threading.Lock()
        self._running: dict[str, list[Job]] = {}

    def free(self, session: str, *, but_opening: bool = False) -> bool:
        """Whether no job of the session is under way that would not give way to something newer.

        ``but_opening``: a picture that is being opened counts for nothing.
        """
        return not self._staying(job for job in self._of(session) if not (but_opening and job.opening))

    def supersede(self, session: str, *, besides: Job | None = None, live: bool = False) -> list[Job] | None:
        """End the session's live jobs, and those that are over, for something newer, and wait for their last word.

        Args:
            besides: the one that asks, if it is a job itself.
            live: whether it is a slider's next move.

        Returns:
            Those that have given way; None where another job is under way, beside which the newer one may not begin.
        """
        giving_way = [job for job in self._of(session) if job is not besides]
        if self._staying(giving_way):
            return None
        for job in giving_way:
            job.superseded, job.followed = True, live
            job.stop()
        deadline = time.monotonic() + LAST_WORD
        while not set(giving_way).isdisjoint(self._of(session)) and time.monotonic() < deadline:
            time.sleep(0.01)
        for job in set(giving_way) & set(self._of(session)):
            job.followed = True  # its last word comes after the newer one's first
        return giving_way

    def _staying(self, jobs: Iterable[Job]) -> list[Job]:
        staying = [job for job in jobs if not (job.live or job.over)]
        for job in staying:
            job.crowded = True
        return staying

    def _of(self, session: str) -> list[Job]:
        with self._guard:
            return list(self._running.get(session, ()))

    @contextmanager
    def open(self, session: str, *, live: bool = False, opening: bool = False) -> Iterator[Job]:
        """Register a job of the session.

        Raises:
            UserError: the session has as many jobs as it may have.
        """
        job = Job(self.line, self.longest(), live=live, opening=opening)
        with self._guard:
            own = self._running.setdefault(session, [])
            working = sum(not (one.over or one.superseded) for one in own)
            if working >= self.per_session:
                raise UserError(f"You have {working} jobs here already; stop one, or wait until one has ended.")
            own.append(job)
        try:
            yield job
        finally:
            with self._guard:
                self._running[session].remove(job)
                if not self._running[session]:
                    del self._running[session]

    def stop(self, session: str) -> bool:
        """Ask every job of the session to stop after its current step; says whether there was one."""
        jobs = [job for job in self._of(session) if not job.over]
        for job in jobs:
            job.stop()
        return bool(jobs)


def throttled(items: Iterator[T], interval: float, always: Callable[[T], bool]) -> Iterator[tuple[T, bool]]:
    """Each item with whether to show it now: the first, those ``interval`` seconds apart, those ``always`` names."""
    shown = float("-inf")
    for item in items:
        now = time.monotonic()
        show = always(item) or now - shown >= interval
        if show:
            shown = now
        yield item, show
