"""Files that are whole or not there, since a full disk or a killed process leaves no half of one; their folders."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from impress_ui.errors import UserError


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, which takes its name once the block has ended well.

    What stood there before stays until then.
    """
    part = path.with_name(f".{uuid.uuid4().hex}.part")  # a name of the longest kind has no room for more
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


def distinct_names(files: Sequence[Path]) -> list[str]:
    """A name without ending for what is made of each file, no two of them alike, on file systems without case too.

    It is the file's stem; its whole name beside another file of that stem (a.jpg and a.png); and with a number where
    even that is taken.
    """
    stems = [file.stem.casefold() for file in files]
    taken: set[str] = set()
    names = []
    for file, stem in zip(files, stems, strict=True):
        wanted = name = file.stem if stems.count(stem) == 1 else file.name
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
