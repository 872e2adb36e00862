"""Captions that a folder of pictures brings along, in the layouts that trainers of diffusion models use."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from impress_ui.errors import UserError
from impress_ui.pictures.images import SUFFIXES

# A picture's name, which may hold spaces, then a tab, comma, colon, bar or spaces, then its caption.
LINE = re.compile(rf"(.+?(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))}))\s*[\s,;:|]\s*(.*)", re.IGNORECASE)
BESIDE = (".txt", ".caption")


def read_captions(folder: Path, pictures: list[Path]) -> dict[str, str]:
    """{file name: caption} for every picture, or an empty dictionary where the folder brings no captions.

    The first of these that is there counts: ``metadata.jsonl`` or ``metadata.csv`` with ``file_name`` and ``text``
    (Hugging Face's imagefolder, as diffusers' scripts read it), ``captions.txt`` with a line "NAME caption" a picture,
    or a ``NAME.txt`` or ``NAME.caption`` beside each picture (as kohya's scripts read it).

    Raises:
        UserError: a file that cannot be understood, that names a picture which is not there, or leaves one out.
    """
    readers = {"metadata.jsonl": _from_jsonl, "metadata.csv": _from_csv, "captions.txt": _from_lines}
    for file, read in readers.items():
        if (folder / file).is_file():
            captions = {name.strip(): text.strip() for name, text in read(_text(folder / file), file)}
            where, unit = f"{file} has", file
            break
    else:
        captions, where, unit = _from_beside(pictures), "The text files beside the pictures have", ""
        if not captions:
            return {}
    names = {path.name for path in pictures}
    if unknown := sorted(set(captions) - names):
        raise UserError(f"{unit} names {unknown[0]}, which is not in the folder; correct the name or take it out.")
    if left_out := sorted(name for name in names if not captions.get(name)):
        them = left_out[0] if len(left_out) == 1 else f"{left_out[0]} and {len(left_out) - 1} more"
        raise UserError(f"{where} no caption for {them}; caption every picture, or none.")
    return captions


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError):
        raise UserError(f"{path.name} cannot be read as text; save it as UTF-8.") from None


def _from_jsonl(text: str, file: str) -> list[tuple[str, str]]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise UserError(f"Line {number} of {file} is not JSON.") from None
        rows.append(_pair(row, number, file))
    return rows


def _from_csv(text: str, file: str) -> list[tuple[str, str]]:
    return [_pair(row, number, file) for number, row in enumerate(csv.DictReader(text.splitlines()), 2)]


def _pair(row: object, number: int, file: str) -> tuple[str, str]:
    if isinstance(row, dict):
        name, text = row.get("file_name"), row.get("text")
        if isinstance(name, str) and isinstance(text, str):
            return name, text
    raise UserError(f"Line {number} of {file} lacks file_name or text; each picture needs both.")


def _from_lines(text: str, file: str) -> list[tuple[str, str]]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        found = LINE.fullmatch(line.strip())
        if found:
            rows.append((found[1], found[2]))
        elif line.strip() and number > 1:  # the first line may be a table's header
            raise UserError(f"Line {number} of {file} is not a picture's file name followed by its caption.")
    return rows


def _from_beside(pictures: list[Path]) -> dict[str, str]:
    found = {}
    for path in pictures:
        for suffix in BESIDE:
            if (beside := path.with_suffix(suffix)).is_file():
                found[path.name] = " ".join(_text(beside).split())
                break
    return found
