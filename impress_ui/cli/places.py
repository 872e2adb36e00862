"""Where results go, as it is written on the command line; pictures and torch are imported elsewhere."""

from __future__ import annotations

import contextvars
import os
from pathlib import Path

from impress_ui.errors import UserError

# Whether --force was given: what another program made may be written over.
forced: contextvars.ContextVar[bool] = contextvars.ContextVar("forced", default=False)


class FolderPath(type(Path())):  # type: ignore[misc]  # PosixPath or WindowsPath
    """A place that was written with a slash at its end: a folder, also before it is there."""


def place(text: str | Path) -> Path:
    """Where --output says.

    Raises:
        UserError: it says nothing.
    """
    text = str(text)
    if not text.strip():
        raise UserError("The output is empty: give --output a file or a folder; . is this folder.")
    return FolderPath(text) if text.endswith(("/", os.sep)) else Path(text)


def source(text: str | Path) -> Path:
    """What IN names.

    Raises:
        UserError: it names nothing: a variable of the shell that is not set would stand for the current folder.
    """
    if not str(text).strip():
        raise UserError("The name of the picture is empty: give a file or a folder; . is this folder.")
    return Path(text)
