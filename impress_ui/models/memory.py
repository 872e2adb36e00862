"""How much memory there is, how much this process has, and when a large autoencoder should compute twice to save it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

# Most of the free memory that one half of an autoencoder may keep for its backward pass.
SHARE = 0.25
# Tensors of a residual block that the backward pass looks at, counted on Stable Diffusion's autoencoder.
KEPT_OF_A_BLOCK = 5
HALVES = ("encoder", "decoder")
CONTAINER = Path("/sys/fs/cgroup")
# Where Linux tells a container's limit, what it has, and how much of that are files' pages that it would give back:
# by the second version of control groups, and by the first.
LIMITS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


def free_memory(device: str) -> int | None:
    """Bytes that can still be had on the device, within a container's limit; None where the system does not tell."""
    if device == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # PyTorch's own, to be used again
        return torch.cuda.mem_get_info()[0] + kept
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        machine = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
        return min(machine, left_in_container(CONTAINER) or machine)
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def left_in_container(groups: Path) -> int | None:
    """Bytes up to the limit that a container has, 1 at least; None without a limit. The machine's own may be many times
    that."""
    for limit, used, told, given_back in LIMITS:
        with contextlib.suppress(OSError, ValueError):  # no such file, or no limit: "max"
            most, now = (int((groups / name).read_text()) for name in (limit, used))
            rows = (line.split() for line in (groups / told).read_text().splitlines())
            return max(1, most - now + next((int(count) for name, count in rows if name == given_back), 0))
    return None


def resident_memory() -> int | None:
    """Bytes of main memory that this process has now; None where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError, ValueError):
        return None


def forget_peak(device: str) -> None:
    """Let ``models.peak_memory`` begin anew, where the system can; else it goes on from the process's start."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the resident set's peak is what it is now


def kept_bytes(config: Any, pixels: int, itemsize: int) -> int:
    """What an ``AutoencoderKL``'s halves together keep of so many pixels for their backward pass."""
    widths = sum(width / 4**level for level, width in enumerate(config.block_out_channels))
    return int(KEPT_OF_A_BLOCK * (2 * config.layers_per_block + 1) * widths * pixels * itemsize)


class Recomputation:
    """Gradient checkpointing of diffusers' ``AutoencoderKL``, used for the pictures that need it and for no others.

    It costs a forward pass more and keeps a sixth; results are the same. Other classes are left alone.
    """

    def __init__(self, module: nn.Module, device: str) -> None:
        self.device, self.module = device, module
        self.able = all(hasattr(getattr(module, half, None), "gradient_checkpointing") for half in HALVES)
        if self.able:
            module.enable_gradient_checkpointing()  # type: ignore[operator]  # sets how; whether is chosen below

    def choose(self, pixels: int, itemsize: int) -> bool:
        """Turn it on or off for a pass over so many pixels; says which."""
        if not self.able:
            return False
        free = free_memory(self.device)
        wanted = free is not None and kept_bytes(self.module.config, pixels, itemsize) > SHARE * free
        for half in HALVES:
            getattr(self.module, half).gradient_checkpointing = wanted
        return wanted
