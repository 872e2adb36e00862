"""Ctrl+C: once it ends a run after its step and keeps what was reached, twice it ends the program; and what is said."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopped(Exception):
    """A run that somebody stopped: its sentence, once what was reached has been reported."""


class Interruption:
    """Whether this command was asked to stop, and where it was then."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A run begins."""
        self.asked = False
        self.at = ""  # the step that was reached
        self.left = ""  # what was not begun

    def sentence(self) -> str:
        """Where it stopped; what is kept."""
        where = f"Stopped at {self.at}" if self.at else "Stopped"
        return "; ".join(part for part in (where, self.left, "what was done is kept.") if part)


interruption = Interruption()  # a command is one run


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Gives the question whether to stop; within it the first Ctrl+C only answers that."""

    def handler(*_: object) -> None:
        if interruption.asked:
            raise KeyboardInterrupt
        interruption.asked = True

    interruption.reset()
    previous = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: interruption.asked
    finally:
        signal.signal(signal.SIGINT, previous)
