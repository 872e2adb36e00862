"""Every command: the engine's, and those of the three floors above it, which nothing else imports."""

import contextlib
import os
import signal

from impress_ui.ui.environment import collect_less_often

# Ctrl+C before there is anything to keep: no traceback of half an import.
with contextlib.suppress(ValueError):  # not the main thread
    collect_less_often()
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

from impress_ui.cli import app, main

# Importing them adds their commands, which are listed in this order.
# isort: off
from impress_ui.ui import command as _serve  # noqa: F401
from impress_ui.experiments import command as _experiment  # noqa: F401
from impress_ui.bench import command as _bench  # noqa: F401
# isort: on

with contextlib.suppress(ValueError):
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["app", "main"]

if __name__ == "__main__":
    main()
