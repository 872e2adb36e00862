"""A GPU's pace in one number, in a small file: ``bench --gpu-pace`` measures it, a Space on ZeroGPU reckons with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from impress_ui.errors import UserError
from impress_ui.paths import GPU_PACE

# What the pace is of. A file that was measured by another definition says so, and is no longer of use.
OPERATION = "V(x) = D(E(x)) of one picture, forward and back, in float32"
AGAIN = "measure it again with 'python -m impress_ui bench --gpu-pace', or delete the file"
# Seconds for 10^12 operations: no device of today is beyond these.
FASTEST, SLOWEST = 1e-4, 1e4
LARGEST_FILE = 10_000  # bytes
NO_GPU = ("", "cpu", "mps")  # devices that no Space lends


@dataclass(frozen=True)
class GpuPace:
    """Seconds that a device takes for 10^12 floating-point operations of ``OPERATION``.

    Args:
        seconds: for 10^12 operations, as ``models.operations`` counts them.
        device: the GPU's name; "cpu" or "mps" where it was measured without one of CUDA's.
        checkpoint, side: on which autoencoder, and on what square.
        torch: its version.
        operation: ``OPERATION``.
    """

    seconds: float
    device: str
    checkpoint: str
    side: int
    torch: str
    operation: str = OPERATION

    @property
    def sentence(self) -> str:
        """The number in words."""
        return (
            f"{self.seconds:.4g} s for 10^12 operations on {self.device} ({self.operation}; checkpoint "
            f"{self.checkpoint}, {self.side} pixels, torch {self.torch})"
        )


def write_pace(pace: GpuPace, file: Path = GPU_PACE) -> Path:
    """Write it where a Space looks for it.

    Raises:
        UserError: nothing can be written there.
    """
    try:
        file.write_text(json.dumps(asdict(pace), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"The GPU's pace cannot be written to {file}: {error.strerror or error}.") from None
    return file


def read_pace(file: Path = GPU_PACE) -> GpuPace | None:
    """The pace that was measured; None where there is no file.

    Raises:
        UserError: the file is not one that ``write_pace`` made, is of another definition, or is of no GPU.
    """
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise ValueError
        told = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        raise UserError(f"The GPU's pace in {file.name} cannot be read; {AGAIN}.") from None
    kinds = {"seconds": (int, float), "side": (int,)}
    names = [field.name for field in fields(GpuPace)]
    odd = not isinstance(told, dict) or set(told) != set(names)
    odd = odd or any(type(told[name]) not in kinds.get(name, (str,)) for name in names)
    if odd or told["side"] < 1 or not FASTEST <= told["seconds"] <= SLOWEST:
        raise UserError(f"The GPU's pace in {file.name} is none that this program measured; {AGAIN}.")
    if told["operation"] != OPERATION:
        raise UserError(f"The GPU's pace in {file.name} was measured by another version of this program; {AGAIN}.")
    if told["device"] in NO_GPU:
        raise UserError(f"The pace in {file.name} was measured without a GPU, and says nothing of one; {AGAIN}.")
    return GpuPace(**told)
