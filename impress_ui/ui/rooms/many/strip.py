"""The strip's pictures, as they were given and as they were protected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from impress_ui.ui.mistakes import explain


@dataclass(frozen=True)
class Given:
    """A picture of the strip: its name there, the file that was given, and the one that is shown."""

    name: str
    path: str
    thumbnail: str


@dataclass(frozen=True)
class Strip:
    """The pictures that were given, why others could not be used, and the protected picture of each that has one."""

    pictures: tuple[Given, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    protected: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The files that were given."""
        return len(self.pictures) + len(self.failed)


def laid_out(files: Sequence[str], size: int, session: str) -> Strip:
    """The strip of these files, at a working size."""
    from impress_ui.pictures.files import distinct_names
    from impress_ui.pictures.images import fit, open_picture, save_png
    from impress_ui.ui.record import new_folder

    folder, pictures, failed = new_folder(session), [], {}
    for path, name in zip(files, distinct_names([Path(file) for file in files]), strict=True):
        try:
            shown = save_png(fit(open_picture(path), size).image, folder / f"{name}.png")
            pictures.append(Given(name, path, str(shown)))
        except Exception as error:
            told = Path(path).name
            failed[told if told not in failed else f"{told} ({name})"] = explain(error)
    return Strip(tuple(pictures), failed)
