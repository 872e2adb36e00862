"""The app as it is, on a port, with two questions that it answers to signals: how much memory, how many files.

    python -m tests.reliability.serve PORT ANSWERS

SIGUSR1 collects garbage and writes {"resident": bytes, "files": names} to the file ANSWERS; SIGUSR2 lets the time
pass after which files of visitors go that were not seen to leave, and then does the same.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path

from gradio.route_utils import delete_files_created_by_app
from gradio.utils import get_upload_folder

from impress_ui.ui import record
from impress_ui.ui.app import build_app, launch


def main(port: int, answers: Path) -> None:
    """Serve until ended."""
    demo = build_app()

    def answer(number: int, _: object) -> None:
        if number == signal.SIGUSR2:
            record.KEPT = 0
            record.sweep()
            delete_files_created_by_app(demo, 0)
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # else the C library keeps what was freed, and it looks like a leak
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        cache = Path(get_upload_folder())
        told = {
            "resident": pages * os.sysconf("SC_PAGE_SIZE"),
            "threads": threading.active_count(),
            # os.walk does not mind what is deleted meanwhile; an OSError here would end the server
            "files": sorted(
                os.path.relpath(f"{place}/{name}", cache) for place, _, names in os.walk(cache) for name in names
            ),
        }
        part = answers.with_suffix(".part")
        part.write_text(json.dumps(told))
        part.replace(answers)

    signal.signal(signal.SIGUSR1, answer)
    signal.signal(signal.SIGUSR2, answer)
    launch(demo, port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
