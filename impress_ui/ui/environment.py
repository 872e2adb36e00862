"""What the page needs of its surroundings, looked at before Gradio says something else of it, or a traceback."""

from __future__ import annotations

import gc
import inspect
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from impress_ui.errors import UserError


def check_environment() -> None:
    """To be called before Gradio is imported, which reads the environment then.

    Raises:
        UserError: a port that is none, or no place for uploads and results.
    """
    port = os.environ.get("GRADIO_SERVER_PORT")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise UserError(f"GRADIO_SERVER_PORT is '{port[:40]}'; it must be a number from 1 to 65535.")
    try:
        folder = Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"Uploads and results have no place that can be written ({error.strerror or error}); set GRADIO_TEMP_DIR."
        ) from None


@contextmanager
def without_stubs() -> Iterator[None]:
    """Gradio is imported in here first; it then writes no file of type hints for each of its components.

    It makes them anew at every start from the components' sources, a second of processor time, and compares them with
    those that its package brings. Of a class whose source it cannot find it makes none.
    """
    find = inspect.getfile

    def hidden(thing: Any) -> str:
        if isinstance(thing, type) and thing.__module__.startswith("gradio."):
            raise OSError("no file of type hints is wanted")
        return find(thing)

    inspect.getfile = hidden
    try:
        yield
    finally:
        inspect.getfile = find


def check_address(address: str) -> None:
    """Raises UserError for an address to listen on that is not this machine's."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
    except OSError:
        raise UserError(f"{address} is no address of this machine; 127.0.0.1 is it alone, 0.0.0.0 all.") from None


def collect_less_often() -> None:
    """Let Python's garbage collector wait for 10,000 new objects; for a program's own process, not for an importer's.

    It looks for cycles after 700 otherwise and, ten by ten, through everything there is: while torch, diffusers and
    Gradio are imported, which keep what they make, that is a fifth of the time. The methods make no cycles, so that the
    tensors of a run are freed without it.
    """
    gc.set_threshold(10_000, 10, 10)
