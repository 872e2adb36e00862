"""Whether weights are what they claim to be: by SHA256SUMS beside them, or by their name in the hub's cache."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

from impress_ui.errors import UserError

SUMS = "SHA256SUMS"  # as sha256sum writes it, in the weights' folder or in the one above


def check(file: Path) -> None:
    """Refuse weights that are damaged or exchanged; where nothing says what they should be, nothing is checked.

    Raises:
        UserError: naming the file.
    """
    expected = expected_of(file)
    if expected is None:
        return
    if sha256(file) != expected:
        shown = f"{file.parent.name}/{file.name}"
        raise UserError(f"The weights {shown} are damaged or not the right ones (wrong SHA-256); copy them again.")


def sha256(file: Path) -> str:
    """The SHA-256 of a file's content, read once for as long as the file stays as it is."""
    real = file.resolve()
    known = real.stat()
    return _sha256(real, known.st_mtime_ns, known.st_size)


@functools.lru_cache(maxsize=256)
def _sha256(file: Path, modified: int, size: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def expected_of(file: Path) -> str | None:
    """The SHA-256 that a file of weights should have, as far as that is known."""
    for folder in (file.parent, file.parent.parent):
        if (folder / SUMS).is_file():
            for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
                digest, _, name = line.partition("  ")
                if name.removeprefix("./") == file.relative_to(folder).as_posix():
                    return digest.lower()
    blob = file.resolve()  # the hub's cache names large files by their SHA-256
    return blob.name if blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name) else None
