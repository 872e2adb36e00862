"""Tiles of runs that did not reach their end: the same run, begun again, goes on from them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from torch import Tensor

from impress_ui.models.fingerprint import fingerprint
from impress_ui.pictures.images import open_picture, save_png, to_images, to_tensor
from impress_ui.settings import JobSettings

KEPT = 6 * 3600  # seconds


class Unfinished:
    """Finished tiles in a folder of this user's, under a name that tells the run: its picture, settings and weights."""

    def __init__(self, kind: str, job: JobSettings, *given: Tensor | None) -> None:
        """``kind``: the section of the settings that counts; ``given``: the picture, and its mask and target."""
        settings = {name: getattr(job, name).model_dump(mode="json") for name in ("run", kind)}
        settings["weights"] = fingerprint(job.run.checkpoint)
        name = hashlib.sha256(json.dumps([kind, settings], sort_keys=True).encode())
        for tensor in given:
            name.update(b"none" if tensor is None else str(tuple(tensor.shape)).encode())
            if tensor is not None:
                name.update(tensor.detach().cpu().numpy().tobytes())
        self.folder = _root() / name.hexdigest()[:32]

    def get(self, number: int) -> Tensor | None:
        """What was made of a tile before, (1, 3, h, w); None where nothing was, or it cannot be read."""
        try:
            return to_tensor(open_picture(self._file(number)).image)
        except Exception:  # a file that is gone or damaged is a tile that has to be made
            return None

    def put(self, number: int, made: Tensor) -> None:
        """Keep a tile, where there is room; without it the run goes on all the same."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            save_png(to_images(made)[0], self._file(number))

    def clear(self) -> None:
        """The run is done: its tiles are of no more use."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, number: int) -> Path:
        return self.folder / f"{number}.png"


def _root() -> Path:
    """The folder of them all, readable by its user alone, without those that nobody came back to."""
    import getpass

    user: Any = "user"
    with contextlib.suppress(Exception):
        user = getpass.getuser()
    root = Path(tempfile.gettempdir()) / f"impress-unfinished-{user}"
    with contextlib.suppress(OSError):
        root.mkdir(mode=0o700, exist_ok=True)
        for folder in root.iterdir():
            if time.time() - folder.stat().st_mtime > KEPT:
                shutil.rmtree(folder, ignore_errors=True)
    return root
