"""What the command line says while a checkpoint comes from the hub."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from impress_ui.cli.report import log, write_over
from impress_ui.models.fetching import Fetching, Listener

IN_A_LOG = 10.0  # seconds between two lines where lines stay
ON_A_TERMINAL = 0.2
LEAST = 10_000  # bytes of what is worth a line


def teller(clock: Callable[[], float] = time.monotonic) -> Listener:
    """A listener for ``models.fetching.LISTENERS``: on a terminal one line that is written over, in a log a few.

    The total grows while the hub says of which files a part is made: the end is told again where it was none.
    """
    last: dict[str, tuple[float, int]] = {}  # by part: when it was told, and of how many bytes as whole

    def tell(now: Fetching) -> None:
        terminal = sys.stderr.isatty()
        told, ended = last.get(key := f"{now.checkpoint} {now.part}", (float("-inf"), 0))
        ends = now.share == 1 and ended != now.total
        due = clock() - told >= (ON_A_TERMINAL if terminal else IN_A_LOG) or ends
        if now.total < LEAST or not due:
            return
        last[key] = clock(), now.total if ends else ended
        line = f"Fetching {now.told}"
        if terminal:
            write_over(line, ends)
        else:
            log(line)

    return tell
