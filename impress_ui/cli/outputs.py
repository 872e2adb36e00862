"""What is read and where results go, for every command: all of it is known, and writable, before the first step."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from impress_ui.cli.places import FolderPath, forced
from impress_ui.errors import UserError
from impress_ui.pictures.files import distinct_names, make_folder
from impress_ui.pictures.images import Picture, gathered, open_picture, read_metadata
from impress_ui.pictures.sizes import at_size
from impress_ui.settings import JobSettings


def opened(path: Path, job: JobSettings, *, whole: bool = False) -> Picture:
    """The picture at its working size; or at its own, for work that can be done ``whole`` and is wanted so."""
    return at_size(open_picture(path), job.run.size, whole=whole and job.run.whole != "no")


def pairs_of(source: Path, output: Path) -> tuple[list[tuple[Path, Path]], dict[str, str]]:
    """(picture, file to write) for a file or a folder, and what of the folder is left out, with why."""
    found = gathered(source)
    return targets(found.files, output, as_folder=source.is_dir()), found.left_out


def targets(files: Sequence[Path], output: Path, *, as_folder: bool) -> list[tuple[Path, Path]]:
    """(picture, file to write) for each file: in the folder ``output``, or ``output`` itself; folders are made.

    Raises:
        UserError: no PNG; one of the pictures themselves; a file that this program did not make, without --force; or
            not to be written.
    """
    with told(output):
        named_folder = output.is_dir() or isinstance(output, FolderPath)
    if as_folder and (output.is_file() or (output.suffix.lower() == ".png" and not named_folder)):
        raise UserError(f"{output.name} is one file; give --output a folder for several pictures.")
    as_folder = as_folder or named_folder
    if not as_folder and output.suffix.lower() != ".png":
        raise UserError(f"{output.name} would not keep the picture exactly; give --output a name that ends in .png.")
    make_folder(output if as_folder else output.parent, output.name)
    names = distinct_names(files)
    pairs = [(path, output / f"{name}.png" if as_folder else output) for path, name in zip(files, names, strict=True)]
    sources = {path.resolve() for path in files}
    for _, target in pairs:
        if target.resolve() in sources:
            raise UserError(f"{target.name} is the picture itself and would be lost; give --output another place.")
        claim(target)
    return pairs


def claim(target: Path) -> None:
    """Make sure that a result may take this place, and can.

    Raises:
        UserError: it is another program's file and --force was not given; or it cannot be written.
    """
    with told(target):
        if target.exists() and not forced.get() and read_metadata(target) is None:
            raise UserError(
                f"{target} is there and was not made by this program; give --output another place, or add --force."
            )
        probe = target.parent / f".{uuid.uuid4().hex}.part"
        probe.touch()
        probe.unlink()


@contextlib.contextmanager
def told(target: Path) -> Iterator[None]:
    """Whatever the system has against a place becomes one sentence about it."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}); give --output another place.") from None


def folder_for(output: Path, what: str, *files: str) -> Path:
    """The folder ``output``, made where it is not there.

    Args:
        what: what it takes, for the sentence.
        files: names of what is written into it; the first is there where this program wrote into it before.

    Raises:
        UserError: it is a file, cannot be made or written, or holds other files of those names without --force.
    """
    with told(output):
        is_file = output.is_file()
    if is_file or (output.suffix.lower() in (".png", ".json") and not isinstance(output, FolderPath)):
        raise UserError(f"{output.name} must be a folder: it takes {what}.")
    make_folder(output)
    claim(output / f"{uuid.uuid4().hex}.png")
    taken = [name for name in files if (output / name).exists()]
    if taken and files[0] not in taken and not forced.get():
        raise UserError(
            f"{output / taken[0]} is there and was not made by this program; give --output another place, or add "
            "--force."
        )
    return output
