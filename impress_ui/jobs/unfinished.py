"""Tiles of runs that did not reach their end: the same run, begun again, goes on from them.

Torch is imported where tiles are read and written: the page sweeps before torch is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import impress_ui
from impress_ui.settings import JobSettings

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 6 * 3600  # seconds
NAME = re.compile(r"[0-9a-f]{32}")


class Unfinished:
    """Finished tiles in a folder of this user's, under a name that tells the run: its picture, settings and weights."""

    def __init__(self, kind: str, job: JobSettings, *given: Tensor | None, denoises: bool = False) -> None:
        """Find the run's tiles, if there are any.

        Args:
            kind: the section of the settings that counts.
            given: the picture, and its mask and target.
            denoises: whether the whole checkpoint is used, not its autoencoder alone.
        """
        from impress_ui.models.fingerprint import fingerprint

        sections = {name: getattr(job, name).model_dump(mode="json") for name in ("run", kind)}
        for said in ("check", "declare"):  # of the result, which has the same pixels
            sections["run"].pop(said)
        weights = fingerprint(job.run.checkpoint)
        named = [job.run.lora, *(str(value) for name, value in sections[kind].items() if name.endswith("weights"))]
        others = job.protect.others if kind == "protect" else ()
        about = {
            "version": impress_ui.__version__, "kind": kind, "settings": sections,
            "weights": weights if denoises else weights.get("vae"), "files": [_state(name) for name in named],
            "also": [fingerprint(name).get("vae") for name in others],
        }  # fmt: skip
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for tensor in given:
            digest.update(b"none" if tensor is None else str(tuple(tensor.shape)).encode())
            if tensor is not None:
                digest.update(tensor.detach().cpu().contiguous().numpy().data)
        root = _root()
        self.folder = root / digest.hexdigest()[:32] if root else None

    def get(self, number: int) -> Tensor | None:
        """What was made of a tile before, (1, 3, h, w); None where nothing was, or it cannot be read."""
        from impress_ui.pictures.images import open_picture, to_tensor

        try:
            return to_tensor(open_picture(self._file(number)).image) if self.folder else None
        except Exception:  # a file that is gone or damaged is a tile that has to be made
            return None

    def put(self, number: int, made: Tensor) -> None:
        """Keep a tile, where there is room; without it the run goes on all the same."""
        from impress_ui.pictures.images import save_png, to_images

        with contextlib.suppress(OSError):
            if self.folder:
                self.folder.mkdir(exist_ok=True)
                save_png(to_images(made)[0], self._file(number))

    def clear(self) -> None:
        """The run is done: its tiles are of no more use."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, number: int) -> Path:
        assert self.folder is not None
        return self.folder / f"{number}.png"


def sweep_tiles() -> None:
    """Delete the tiles that nobody came back to."""
    root = _root()
    with contextlib.suppress(OSError):
        for folder in root.iterdir() if root else ():
            if NAME.fullmatch(folder.name) and time.time() - folder.stat().st_mtime > KEPT:
                shutil.rmtree(folder, ignore_errors=True)


def _root() -> Path | None:
    """The folder of them all; None where it is not this user's alone, or cannot be made."""
    owner = os.getuid() if hasattr(os, "getuid") else None
    root = Path(tempfile.gettempdir()) / f"impress-unfinished{'' if owner is None else f'-{owner}'}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        found = root.lstat()
    except OSError:
        return None
    private = owner is None or (found.st_uid == owner and not found.st_mode & 0o077)
    return root if stat.S_ISDIR(found.st_mode) and private else None


def _state(name: str) -> list[float] | str:
    """A file of weights, so that another at its place is told from it; words that name none as they are."""
    try:
        found = Path(name.partition(":")[0]).stat()
        return [found.st_size, found.st_mtime]
    except OSError:
        return name
