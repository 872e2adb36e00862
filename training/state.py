"""The state of a training run that may be ended at any time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

FILE = "state.pt"


def resume(run: Path, device: str, **parts: Any) -> int:
    """Load what ``keep`` wrote into the parts; returns the step to go on from, 0 for a new run."""
    if not (run / FILE).exists():
        run.mkdir(parents=True, exist_ok=True)
        return 0
    saved = torch.load(run / FILE, weights_only=True, map_location=device)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return saved["step"]


def keep(run: Path, step: int, **parts: Any) -> None:
    """Save the parts' states; a run that is killed while it writes keeps the last one whole."""
    new = run / f"{FILE}.new"
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, new)
    new.replace(run / FILE)
