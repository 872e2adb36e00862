"""Which weights computed something: the SHA-256 of every part of a checkpoint that this process has loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from impress_ui.models.checkpoints import Part, find_source
from impress_ui.models.checksums import sha256
from impress_ui.models.lora import loras_of
from impress_ui.models.part_kinds import PARTS

_loaded: dict[tuple[Path, str], Part] = {}


def remember(part: Part) -> None:
    """Note that a part has been loaded."""
    _loaded[part.root, part.name] = part


def fingerprint(checkpoint: str) -> dict[str, str]:
    """SHA-256 by part, of the parts with weights that were loaded of a checkpoint so far.

    A part in several files has the digest of their digests, in order of name.
    """
    source = find_source(checkpoint)
    own = [
        part
        for part in _loaded.values()
        if PARTS[part.name].weights and (part.root == source.place if source.place else part.checkpoint == source.name)
    ]
    return {part.name: _digest_of(part) for part in sorted(own, key=lambda part: part.name)}


def fingerprint_of_loras(words: str) -> dict[str, str]:
    """SHA-256 by file name of the LoRAs that ``run.lora`` names; the numbers behind them are in the settings."""
    return {path.name: sha256(path) for path, _ in loras_of(words)}


def _digest_of(part: Part) -> str:
    digests = [sha256(file) for file in part.weight_files()]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
