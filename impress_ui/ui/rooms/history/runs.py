"""The runs of a page's session, to come back to and to compare; they end with the tab."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from impress_ui.settings import JobSettings
from impress_ui.ui.record import Record

MOST = 30  # runs kept a session; the oldest go first


def own_copy(updates: Mapping[Any, Any]) -> dict[Any, Any]:
    """The updates to keep: Gradio takes the values out of those that it is handed."""
    return {widget: dict(value) if isinstance(value, dict) else value for widget, value in updates.items()}


@dataclass(frozen=True)
class PastRun:
    """One run that came to its end or was stopped.

    Args:
        record: what the page held after it.
        room: where on the page it was run.
        curves: its losses by name, and ``steps`` the length of each whole run.
        shown: the last value that it gave to each widget besides, by the widget's number.
        archive: its zip.
        report: its report.
    """

    title: str
    job: JobSettings
    record: Record
    told: str
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    steps: Mapping[str, int] = field(default_factory=dict)
    shown: Mapping[int, Any] = field(default_factory=dict)
    archive: str | None = None
    report: str | None = None
    room: str = "story"
    number: int = 0
    clock: str = ""

    @property
    def label(self) -> str:
        """What a list of runs calls it."""
        return f"{self.number} · {self.clock} · {self.title} · seed {self.job.run.seed}"


class Histories:
    """The runs of every session."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._runs: dict[str, list[PastRun]] = {}
        self._counts: dict[str, int] = {}

    def add(self, session: str, run: PastRun) -> PastRun:
        """Keep a run; gives it back with its number and the time of day."""
        with self._guard:
            number = self._counts[session] = self._counts.get(session, 0) + 1
            kept = PastRun(**{**vars(run), "number": number, "clock": time.strftime("%H:%M")})
            self._runs[session] = [*self._runs.get(session, ()), kept][-MOST:]
        return kept

    def runs(self, session: str) -> list[PastRun]:
        """The session's runs, the newest first."""
        with self._guard:
            return list(reversed(self._runs.get(session, ())))

    def find(self, session: str, number: int | None) -> PastRun | None:
        """The run of that number, if it is still kept."""
        return next((run for run in self.runs(session) if run.number == number), None)

    def forget(self, session: str) -> None:
        """A closed page's runs."""
        with self._guard:
            self._runs.pop(session, None)
            self._counts.pop(session, None)


HISTORIES = Histories()
