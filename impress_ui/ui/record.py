"""What a page keeps between two clicks: paths and plain data, never tensors or pictures."""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from impress_ui.jobs.unfinished import sweep_tiles
from impress_ui.ui.sessions import folder_name

PICTURES = {
    "original": "Original",
    "protected": "Protected",
    "purified": "Purified",
}
RECONSTRUCTIONS = {f"V({name})": f"V({label.lower()})" for name, label in PICTURES.items()}
EDITS = {f"edit({name})": f"Edit of the {label.lower()}" for name, label in PICTURES.items()}
ALL_PICTURES = {**PICTURES, **RECONSTRUCTIONS, **EDITS}
KEPT = 6 * 3600  # seconds that files live whose visitor was not seen to leave


@dataclass(frozen=True)
class Edit:
    """One picture's edit: its file, the file that it was made from, and its measures against the original's edit."""

    file: str
    source: str
    measures: dict[str, Any] | None = None


@dataclass(frozen=True)
class Ghost:
    """An earlier purification of the same protected picture: its run's number, its settings in words, its losses."""

    run: int
    words: str
    curves: dict[str, list[float]]


@dataclass(frozen=True)
class Record:
    """The pictures of one page by name (a key of ``ALL_PICTURES``), their common size, curves, table and edits.

    There is no original when the protected picture was uploaded as it is. An edit, by the name of the picture it was
    made from, outlives that picture: it is then stale. ``edits_stopped``: they are partial; ``edits_pasted``: what lies
    outside a mask was put back into them. ``run`` is the number of the run that made all this, in the session's list;
    ``ghosts`` are the purifications before it, the newest last; ``scrub`` the previews that were kept, each with its
    kind of run ("protect", "purify"), its step and its file. ``own`` is the size of the file that was uploaded, and
    ``whole`` has the pictures at that size, where the run made them so: what else is here shows them reduced.
    ``tiled``: the kinds of run that went tile by tile.
    """

    files: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    curves: dict[str, list[float]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    edits: dict[str, Edit] = field(default_factory=dict)
    edits_stopped: bool = False
    edits_pasted: bool = False
    run: int = 0
    ghosts: tuple[Ghost, ...] = ()
    scrub: tuple[tuple[str, int, str], ...] = ()
    own: tuple[int, int] | None = None
    whole: dict[str, str] = field(default_factory=dict)
    tiled: tuple[str, ...] = ()

    @property
    def unknown_original(self) -> bool:
        """Whether the picture came already protected."""
        return bool(self.files) and "original" not in self.files

    def stale(self, name: str) -> bool:
        """Whether a later run replaced the picture that this edit was made from."""
        return name in self.edits and self.files.get(name) != self.edits[name].source

    def path(self, name: str) -> str | None:
        """The file of any picture in ``ALL_PICTURES`` that has been made and still holds."""
        edited = name.removeprefix("edit(").removesuffix(")")
        if name in EDITS:
            return self.edits[edited].file if edited in self.edits and not self.stale(edited) else None
        return self.files.get(name)

    @property
    def made_whole(self) -> list[str] | None:
        """The files of results at the picture's own size, where there are any."""
        began = "original" if "original" in self.whole else "protected"
        return [path for name, path in self.whole.items() if name != began] or None

    def pair(self, left: str, right: str, *, whole: bool) -> list[str | None]:
        """The files of two pictures, at their own size where that is wanted and both are there at it."""
        own = [self.whole.get(name) for name in (left, right)]
        return own if whole and None not in own else [self.path(name) for name in (left, right)]


def new_folder(session: str) -> Path:
    """A fresh folder for one run's files, inside Gradio's cache, which is the only place it serves from."""
    folder = _root() / folder_name(session) / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder


def forget(session: str) -> None:
    """Delete a closed page's files."""
    shutil.rmtree(_root() / folder_name(session), ignore_errors=True)


def sweep() -> None:
    """Delete what is old: of earlier runs of the program, and of visitors who were not seen to leave."""
    sweep_tiles()
    for folder in _root().glob("*/*"):
        with contextlib.suppress(OSError):  # its visitor left meanwhile
            if time.time() - folder.stat().st_mtime > KEPT:
                shutil.rmtree(folder, ignore_errors=True)
    for folder in _root().glob("*"):
        with contextlib.suppress(OSError):
            folder.rmdir()  # only where it is empty


def _root() -> Path:
    return Path(get_upload_folder()) / "impress"
