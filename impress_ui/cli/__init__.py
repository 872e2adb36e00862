"""``python -m impress_ui``: the engine without the page.

Every command takes ``--json`` and then prints one JSON object on standard output; all else goes to
standard error. Mistakes end with status 2 and one sentence. Torch is imported inside the commands, so
``--help`` is instant.
"""

from __future__ import annotations

import errno
import io
import re
import sys
from typing import NoReturn

from pydantic import ValidationError

from impress_ui.cli import pictures, sampling, stress, styles  # noqa: F401  (importing them adds their commands)

# Commands are listed in the order in which they are added.
# isort: split
from impress_ui.cli import documents  # noqa: F401
from impress_ui.cli.downloads import teller
from impress_ui.cli.interruption import Stopped, interruption
from impress_ui.cli.report import log
from impress_ui.cli.shared import app
from impress_ui.errors import UserError
from impress_ui.models.fetching import LISTENERS
from impress_ui.models.shortage import is_out_of_memory, what_would_fit
from impress_ui.settings import sentence_of


def _fail(sentence: str) -> NoReturn:
    log(f"Error: {' '.join(sentence.split())}")
    sys.exit(2)


def main() -> None:
    """Entry point: runs a command; mistakes become one sentence on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console without Greek, or a name that is no text, is no mistake
            stream.reconfigure(errors="backslashreplace")
    interruption.reset()
    LISTENERS[:] = [teller()]
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except Stopped as stopped:
        log(str(stopped))
        sys.exit(130)
    except ValidationError as error:
        _fail(sentence_of(error))
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        log("Interrupted.")
        sys.exit(130)
    except Exception as error:
        if is_out_of_memory(error):
            _fail(what_would_fit())
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _fail("The disk is full; what was done before is kept.")
        # typer's own usage errors; it has moved their class between versions, their method stayed.
        if not hasattr(error, "format_message"):
            raise
        told = error.format_message()
        comma = next((part for part in sys.argv[1:] if re.fullmatch(r"-?\d*,\d+", part)), "")
        if comma and "valid number" in told:
            told += f" Decimals are written with a point: {comma.replace(',', '.')}."
        _fail(told)
    sys.exit(code if isinstance(code, int) else 0)
