"""What is done when the memory is not enough: say what would fit, and give back what the failed job held."""

from __future__ import annotations

import gc
import math
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impress_ui.settings import JobSettings

# PyTorch has a class for its GPUs' allocators only; what the others raise is told by these words.
WORDS = ("can't allocate memory", "out of memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the system or a device had no memory left; torch is not imported for that."""
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in WORDS)


def what_would_fit(job: JobSettings | None = None) -> str:
    """The sentence for a job that ran out of memory; activations, which are most of it, grow with the pixels."""
    if job is None:
        return "There is not enough memory for this; choose a smaller working size, or fewer pictures at once."
    parts, size = [], job.run.size
    half = int(size / math.sqrt(2)) // 8 * 8
    if half >= 64:
        parts.append(f"a working size of {half} instead of {size}, which has half the pixels")
    if job.generate.count > 1:
        parts.append(f"for pictures from text {job.generate.count // 2} at a time instead of {job.generate.count}")
    if job.run.precision == "float32":
        parts.append("the precision bfloat16, which halves the model")
    fits = f" What would fit: {'; '.join(parts)}." if parts else ""
    return f"There is not enough memory for this.{fits} Nothing that was done before is lost."


def release(error: BaseException) -> None:
    """Let go of what the failed job held, which its traceback keeps alive, so that the next one has room."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
