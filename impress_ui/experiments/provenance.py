"""What a run stands on: versions of the software, hashes of the checkpoints' weights."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import impress_ui
from impress_ui.models.checkpoints import find_source
from impress_ui.models.checksums import sha256

PACKAGES = ("torch", "diffusers", "transformers", "peft", "lpips", "scikit-image", "torchmetrics", "pillow", "numpy")


def versions() -> dict[str, str]:
    """Versions of this program, of Python and of every package that a figure goes through."""
    found = {"impress": impress_ui.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def checkpoint_hashes(checkpoints: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """SHA-256 of every weights file of the named parts of checkpoints: ``{checkpoint: {"vae/...": hash}}``.

    Raises:
        UserError: no such checkpoint, or it lacks a part.
    """
    found: dict[str, dict[str, str]] = {}
    for checkpoint, names in checkpoints.items():
        source = find_source(checkpoint)
        ours = found.setdefault(checkpoint, {})
        for name in names:
            part = source.part(name)
            folder = part.root / part.subfolder
            files = {file.resolve(): file for file in sorted(folder.glob("*.safetensors"))}
            ours |= {f"{name}/{file.name}": sha256(file) for file in files.values()}
    return found
