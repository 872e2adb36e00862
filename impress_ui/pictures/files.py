"""Files that are whole or not there, since a full disk or a killed process leaves no half of one; their folders."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from impress_ui.errors import UserError


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, which takes its name once the block has ended well.

    What stood there before stays until then.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def make_folder(folder: Path, file: str = "") -> None:
    """Make a folder, with those around it, where it is not there.

    Args:
        file: the name of what is going to stand in it, where that is what was asked for.

    Raises:
        UserError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        named = f"for {file}" if file else folder.name
        raise UserError(f"The folder {named} cannot be made ({error.strerror}); choose another place.") from None
