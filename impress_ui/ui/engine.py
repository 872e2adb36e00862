"""The door to the engine for threads: whoever comes first imports it, everybody else waits until it is whole.

Two threads that import one set of packages from different ends see each other's modules half done, and fail.
"""

from __future__ import annotations

import importlib
import threading

_ONE_AT_A_TIME = threading.Lock()
# What a handler may ask for, with everything that these import in turn.
PARTS = (
    "impress_ui.ui.runs", "impress_ui.ui.api_bodies", "impress_ui.jobs.style", "impress_ui.jobs.stress",
    "impress_ui.jobs.explore", "impress_ui.ui.rooms.story.live", "impress_ui.ui.rooms.edit.run",
    "impress_ui.ui.rooms.style.run", "impress_ui.ui.rooms.stress.run", "impress_ui.ui.rooms.explore.run",
    "impress_ui.ui.rooms.generate.run", "impress_ui.ui.rooms.universal.run", "impress_ui.ui.rooms.many.run",
)  # fmt: skip


def load_engine() -> None:
    """Import it, once."""
    with _ONE_AT_A_TIME:
        for part in PARTS:
            importlib.import_module(part)
