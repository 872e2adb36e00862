"""Who may compute now, and how a running job is told to stop. Knows neither a model nor a screen.

Gradio frees a cancelled job's queue slot before its step has ended, so its limits alone are no mutual
exclusion: the device has a lock of its own here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Jobs:
    """Stop events by session, and the device that one job at a time may use."""

    def __init__(self) -> None:
        self._device = threading.Lock()
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

    def acquire_device(self, timeout: float = 0.2) -> bool:
        """Wait up to ``timeout`` seconds for the device; when True, the caller calls ``release_device``."""
        return self._device.acquire(timeout=timeout)

    def release_device(self) -> None:
        """Give the device to the next job."""
        self._device.release()


def throttled(items: Iterator[T], interval: float, always: Callable[[T], bool]) -> Iterator[tuple[T, bool]]:
    """Each item with whether to show it now: the first, those ``interval`` seconds apart, those ``always`` names."""
    shown = float("-inf")
    for item in items:
        now = time.monotonic()
        show = always(item) or now - shown >= interval
        if show:
            shown = now
        yield item, show
