"""What a page keeps between two clicks: paths and plain data, never tensors or pictures."""

from __future__ import annotations

import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

PICTURES = {
    "original": "Original",
    "protected": "Protected",
    "purified": "Purified",
}
RECONSTRUCTIONS = {f"V({name})": f"V({label.lower()})" for name, label in PICTURES.items()}
ALL_PICTURES = {**PICTURES, **RECONSTRUCTIONS}
LEFTOVER_AGE = 24 * 3600


@dataclass(frozen=True)
class Record:
    """The pictures of one page by name (a key of ``ALL_PICTURES``), their common size, curves and table.

    There is no original when the protected picture was uploaded as it is.
    """

    files: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    curves: dict[str, list[float]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


def new_folder(session: str) -> Path:
    """A fresh folder for one run's files, inside Gradio's cache, which is the only place it serves from."""
    folder = _root() / _safe(session) / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder


def forget(session: str) -> None:
    """Delete a closed page's files."""
    shutil.rmtree(_root() / _safe(session), ignore_errors=True)


def sweep() -> None:
    """Delete what pages of earlier runs of the program left behind."""
    if not _root().is_dir():
        return
    for folder in _root().iterdir():
        if time.time() - folder.stat().st_mtime > LEFTOVER_AGE:
            shutil.rmtree(folder, ignore_errors=True)


def _root() -> Path:
    return Path(get_upload_folder()) / "impress"


def _safe(session: str) -> str:
    return "".join(character for character in session if character.isalnum()) or "anonymous"
