"""A run's folder: every finished unit in a file of its own, so that a run killed at any moment goes on.

    run.json         what the run was started with: settings, versions, hashes of the checkpoints
    units/*.json     the records of a unit, or why it failed
    pictures/*.png   what several units share: protected pictures, purified ones, lossless
    values/*.json    what else they share

A file appears whole or not at all, so several processes can share the folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.errors import UserError
from impress_ui.pictures.files import written_whole
from impress_ui.pictures.images import save_png

Record = dict[str, Any]


class RunFolder:
    """The state of one run.

    Args:
        path: made when it is missing.
        manifest: what determines the results, as plain data.
        completed: fills in what a manifest of an earlier version lacks, since it did not know the setting yet.

    Raises:
        UserError: the folder holds a run with another manifest, or one that cannot be read.
    """

    def __init__(self, path: Path, manifest: Record, completed: Callable[[Record], Record] = lambda kept: kept) -> None:
        self.path = path
        file = path / "run.json"
        manifest = json.loads(json.dumps(manifest))  # tuples become lists, as in the file
        kept = _kept(file)
        if kept is None:
            write_json(file, manifest)
        elif difference := first_difference(completed(kept), manifest):
            raise UserError(
                f"The folder {path} holds a run with other settings: {difference}. Choose another folder with -o, "
                "or take that one away."
            )

    def records(self, key: str) -> list[Record] | None:
        """A finished unit's records; None where it is not finished or failed."""
        return (_kept(self._file("units", key)) or {}).get("records")

    def error(self, key: str) -> str | None:
        """Why a unit failed; None where it did not."""
        return (_kept(self._file("units", key)) or {}).get("error")

    def keep(self, key: str, records: Sequence[Record]) -> None:
        """A unit is finished."""
        write_json(self._file("units", key), {"unit": key, "records": list(records)})

    def keep_error(self, key: str, error: str) -> None:
        """A unit failed; the next run tries it again."""
        write_json(self._file("units", key), {"unit": key, "error": error})

    def pictures(self, key: str, make: Callable[[], Sequence[Image.Image]]) -> list[Image.Image]:
        """RGB pictures kept under a key; made, and kept, when they are not there yet."""
        kept = self.kept_pictures(key)
        if kept is not None:
            return kept
        made, stem = list(make()), self.path / "pictures" / _slug(key)
        stem.parent.mkdir(exist_ok=True)
        # The first one is the last to be written: where it is, all are.
        for number, image in reversed(list(enumerate(made))):
            save_png(image, _numbered(stem, number), {"kind": "intermediate", "key": key, "count": len(made)})
        return made

    def kept_pictures(self, key: str) -> list[Image.Image] | None:
        """The pictures of a key, if they have been kept."""
        stem = self.path / "pictures" / _slug(key)
        if not _numbered(stem, 0).exists():
            return None
        pictures: list[Image.Image] = []
        while (file := _numbered(stem, len(pictures))).exists():
            with Image.open(file) as image:
                pictures.append(image.convert("RGB"))
        return pictures

    def keep_values(self, key: str, data: Record) -> None:
        """Keep plain data under a key."""
        write_json(self._file("values", key), data)

    def kept_values(self, key: str) -> Record | None:
        """The plain data of a key, if it has been kept."""
        return _kept(self._file("values", key))

    def _file(self, kind: str, key: str) -> Path:
        return self.path / kind / f"{_slug(key)}.json"


def first_difference(kept: Mapping[str, Any], given: Mapping[str, Any], name: str = "") -> str:
    """The first entry in which two manifests differ, in words; empty where they are equal."""
    for key in dict.fromkeys((*kept, *given)):
        old, new = kept.get(key), given.get(key)
        here = f"{name}.{key}" if name else key
        if isinstance(old, dict) and isinstance(new, dict):
            if inner := first_difference(old, new, here):
                return inner
        elif old != new or type(old) is not type(new):
            return f"{here} is {_short(old)} there and {_short(new)} now"
    return ""


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _numbered(stem: Path, number: int) -> Path:
    return stem.with_name(f"{stem.name}.{number}.png")


def _slug(key: str) -> str:
    """A file's name: legible, of a length that every system takes, and different for different keys."""
    legible = re.sub(r"[^A-Za-z0-9=_-]+", "-", key).strip("-")[:90]
    return f"{legible}.{hashlib.sha256(key.encode()).hexdigest()[:10]}"


def write_json(file: Path, data: Any) -> None:
    """Write plain data whole or not at all, in a folder that is made where it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(file) as part:
        part.write_text(json.dumps(data, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _kept(file: Path) -> Record | None:
    if not file.exists():
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{file} cannot be read; take it away or choose another folder.") from None
