"""What the command line says while a checkpoint comes from the hub."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from impress_ui.cli.report import log
from impress_ui.models.fetching import Fetching, Listener

IN_A_LOG = 10.0  # seconds between two lines where lines stay
ON_A_TERMINAL = 0.2


def teller(clock: Callable[[], float] = time.monotonic) -> Listener:
    """A listener for ``models.fetching.LISTENERS``: on a terminal one line that is written over, in a log a few."""
    last: dict[str, tuple[float, bool]] = {}  # by part: when it was told, and whether as whole

    def tell(now: Fetching) -> None:
        terminal = sys.stderr.isatty()
        told, ended = last.get(key := f"{now.checkpoint} {now.part}", (float("-inf"), False))
        whole = now.share == 1
        due = clock() - told >= (ON_A_TERMINAL if terminal else IN_A_LOG) or (whole and not ended)
        if not now.total or not due:
            return
        last[key] = clock(), whole
        line = f"Fetching {now.told}"
        if terminal:
            print(f"\r{line} ", end="\n" if whole and not ended else "", file=sys.stderr, flush=True)
        else:
            log(line)

    return tell
