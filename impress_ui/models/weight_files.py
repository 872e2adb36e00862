"""Files that are taken for weights and are none that is loaded: pickles, which can run anything, and Git's pointers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from impress_ui.errors import UserError

PICKLES = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.pkl")
LFS = b"version https://git-lfs"


def path_of(named: str | Path) -> Path | None:
    """The file or folder of this machine that is named, as an absolute path; None where there is none.

    Links stay as they are: in the hub's cache the link has the file's name, which says what it is.
    """
    try:
        path = Path(named).expanduser().absolute()
        path.stat()
    except (OSError, RuntimeError, ValueError):  # not there, too long, no such home, a character that no path has
        return None
    return path


def refuse_pointers(folder: Path, checkpoint: str, name: str) -> None:
    """Git keeps large files elsewhere: a clone without Git LFS has a few lines of text in place of the weights."""
    for file in folder.glob("*.safetensors"):
        with file.open("rb") as stream:
            if stream.read(len(LFS)) == LFS:
                raise UserError(
                    f"The weights {name}/{file.name} of the checkpoint {checkpoint} were not fetched, only Git's "
                    "pointer to them: run 'git lfs pull' in its folder."
                )


def is_safe(shard: Any) -> bool:
    """Whether a shard that an index names is a safetensors file beside it."""
    return isinstance(shard, str) and shard.endswith(".safetensors") and Path(shard).name == shard


def pickled(folder: Path) -> bool:
    return any(any(folder.glob(pattern)) for pattern in PICKLES)


def refusal_of_pickles(checkpoint: str, where: str) -> str:
    return (
        f"The checkpoint {checkpoint} has no safetensors weights in {where}; pickled weights are not loaded, "
        "convert them to safetensors."
    )


def read_config(file: Path, whose: str, what: str) -> dict[str, Any]:
    """A JSON object on disk.

    Args:
        whose, what: for the sentence: "The checkpoint a", "unet/config.json".

    Raises:
        UserError: it cannot be read, or is no object.
    """
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise UserError(f"{whose} has a damaged {what}; copy it again.")
    return config
