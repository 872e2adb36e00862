"""What a benchmark runs on, and how much of it; the machine without anything that names it or its owner."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from impress_ui.models.autoencoder import pick_device
from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import JobSettings, RunSettings

Report = dict[str, Any]
SIDE, QUALITY_SIDE = 128, 64


@dataclass(frozen=True)
class Plan:
    """The settings of a benchmark.

    Attributes:
        run: checkpoint, device, precision and seed; ``size`` is not used.
        quick: the ratios alone, in a few minutes.
        repeats: rounds of every timing.
        side: of the square pictures on which a step is timed.
        photographs: on how many of the test photographs the recipes run to their end.
        quality_side: of those; the published recipe takes thousands of steps.
    """

    run: RunSettings
    quick: bool
    log: Callable[[str], None]
    repeats: int = 5
    side: int = SIDE
    photographs: int = 2
    quality_side: int = QUALITY_SIDE

    @property
    def device(self) -> str:
        return pick_device(self.run.device)

    def job(self, **sections: dict[str, Any]) -> JobSettings:
        return JobSettings(run=self.run).updated(**sections)

    def pictures(self, count: int, side: int | None = None) -> list[Image.Image]:
        return squares("test", side or self.side, count)

    def tensor(self, count: int = 1, side: int | None = None) -> Any:
        """Photographs (count, 3, side, side) in [-1, 1] on the device; taken again from the first when they run out."""
        images = self.pictures(count, side)
        images = [images[number % len(images)] for number in range(count)]
        return to_tensor(images, self.device)


def machine(plan: Plan) -> Report:
    """Processor, cores, threads, device, precision, versions, and the load when the benchmark began."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if plan.device == "cuda" else plan.device,
        "precision": plan.run.precision,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
