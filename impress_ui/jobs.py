"""Who may compute now, and how a running job is told to stop. Knows neither a model nor a screen.

Gradio frees a cancelled job's queue slot before its step has ended, so its limits alone are no mutual
exclusion: the device has a lock of its own here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
LOOK = 0.2  # seconds between two looks at whose turn it is


@dataclass(frozen=True)
class Waiting:
    """A job's place in the line for the device: how many are ``ahead`` of it, the one that computes among them."""

    seconds: float
    ahead: int


class Jobs:
    """Stop events by session, and the device that one job at a time may use, in the order in which they asked."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._line: list[object] = []  # who has the device, then who waits for it
        self._guard = threading.Lock()
        self._running: dict[str, list[threading.Event]] = {}

    @contextmanager
    def open(self, session: str) -> Iterator[Callable[[], bool]]:
        """Register a job of the session; gives the function that says whether it should stop."""
        event = threading.Event()
        with self._guard:
            self._running.setdefault(session, []).append(event)
        try:
            yield event.is_set
        finally:
            with self._guard:
                self._running[session].remove(event)
                if not self._running[session]:
                    del self._running[session]

    def stop(self, session: str) -> bool:
        """Ask every job of the session to stop after its current step; says whether there was one."""
        with self._guard:
            events = list(self._running.get(session, ()))
        for event in events:
            event.set()
        return bool(events)

    @contextmanager
    def device(self, should_stop: Callable[[], bool]) -> Iterator[Iterator[Waiting]]:
        """The device for the length of the block, once what this gives has been iterated over to its end.

        A job that is stopped while it waits leaves that loop without the device: ask ``should_stop`` again after it.
        """
        ticket = object()
        with self._turn:
            self._line.append(ticket)
        try:
            yield self._wait(ticket, should_stop)
        finally:
            with self._turn:
                self._line.remove(ticket)
                self._turn.notify_all()

    def _wait(self, ticket: object, should_stop: Callable[[], bool]) -> Iterator[Waiting]:
        began = time.monotonic()
        while not should_stop():
            with self._turn:
                if self._line[0] is not ticket:
                    self._turn.wait(LOOK)
                ahead = self._line.index(ticket)
            if ahead == 0:
                return
            yield Waiting(time.monotonic() - began, ahead)


def throttled(items: Iterator[T], interval: float, always: Callable[[T], bool]) -> Iterator[tuple[T, bool]]:
    """Each item with whether to show it now: the first, those ``interval`` seconds apart, those ``always`` names."""
    shown = float("-inf")
    for item in items:
        now = time.monotonic()
        show = always(item) or now - shown >= interval
        if show:
            shown = now
        yield item, show
