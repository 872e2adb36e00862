"""What a benchmark ran on, without anything that names the machine or its owner."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from impress_ui.bench.plan import Plan, Report


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
