"""What is read and where results go, for every command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from impress_ui.errors import UserError
from impress_ui.pictures.files import distinct_names, make_folder
from impress_ui.pictures.images import Picture, fit, open_picture, pictures_in
from impress_ui.settings import JobSettings


def opened(path: Path, job: JobSettings) -> Picture:
    """The picture at its working size."""
    return fit(open_picture(path), job.run.size)


def pairs_of(source: Path, output: Path) -> list[tuple[Path, Path]]:
    """(picture, file to write) for a file or a folder; the folders that are needed are made."""
    return spared(targets(pictures_in(source), output, as_folder=source.is_dir()))


def targets(files: Sequence[Path], output: Path, *, as_folder: bool) -> list[tuple[Path, Path]]:
    """(picture, file to write) for each file: in the folder ``output``, or ``output`` itself; folders are made.

    Raises:
        UserError: no PNG, or not to be made.
    """
    if as_folder and (output.is_file() or (output.suffix.lower() == ".png" and not output.is_dir())):
        raise UserError(f"{output.name} is one file; give --output a folder for several pictures.")
    as_folder = as_folder or output.is_dir()
    if not as_folder and output.suffix.lower() != ".png":
        raise UserError(f"{output.name} would not keep the picture exactly; give --output a name that ends in .png.")
    make_folder(output if as_folder else output.parent, output.name)
    names = distinct_names(files)
    return [(path, output / f"{name}.png" if as_folder else output) for path, name in zip(files, names, strict=True)]


def spared(pairs: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """The same pairs, unless one would be written over a picture that is read.

    Raises:
        UserError: it would.
    """
    sources = {path.resolve() for path, _ in pairs}
    for _, target in pairs:
        if target.resolve() in sources:
            raise UserError(f"{target.name} is the picture itself and would be lost; give --output another place.")
    return pairs


def folder_for(output: Path, what: str) -> Path:
    """The folder ``output``, made where it is not there.

    Args:
        what: what it takes, for the sentence.

    Raises:
        UserError: it is a file, or cannot be made.
    """
    if output.is_file() or output.suffix.lower() in (".png", ".json"):
        raise UserError(f"{output.name} must be a folder: it takes {what}.")
    make_folder(output)
    return output
