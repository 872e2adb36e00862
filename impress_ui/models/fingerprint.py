"""Which weights computed something: the SHA-256 of every part of a checkpoint that this process has loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from impress_ui.errors import UserError
from impress_ui.models.checkpoints import Part, find_source
from impress_ui.models.checksums import sha256
from impress_ui.models.lora import LOADED, loras_of
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


def fingerprint_of_loras(words: str) -> list[dict[str, str]]:
    """Name and SHA-256 of the LoRAs that ``run.lora`` names, as they were when a model was given them.

    The numbers behind their names are in the settings. One that no model was given is not among them.
    """
    try:
        named = [path for path, _ in loras_of(words)]
    except UserError:  # moved away since: that is no reason to lose a result
        named = [path for path in LOADED if str(path) in words or path.name in words]
    return [{"name": path.name, "sha256": LOADED[path]} for path in named if path in LOADED]


def _digest_of(part: Part) -> str:
    digests = [sha256(file) for file in part.weight_files()]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
