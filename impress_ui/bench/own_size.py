"""What a protection at the picture's own size takes, by megapixels: seconds, and the process's peak memory."""

from __future__ import annotations

import time

from PIL import Image

from impress_ui.bench.memory import MIB, Apart
from impress_ui.bench.plan import Plan, Report
from impress_ui.jobs import workflow
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.whole import pieces_of
from impress_ui.models.autoencoder import peak_memory
from impress_ui.models.memory import forget_peak

SIZES = ((1152, 864), (2304, 1728), (4000, 3000))  # 1, 4 and 12 megapixels
WAYS = ("enlarged", "views", "tiles")
STEPS = 2


def own_size(plan: Plan, apart: Apart) -> list[Report]:
    """A row for each size and way."""
    rows = []
    for size in SIZES:
        for way in WAYS:
            plan.log(f"own size: {size[0]}x{size[1]}, {way}")
            rows.append(apart(own_size_peak, plan, size, way))
    return rows


def own_size_peak(plan: Plan, size: tuple[int, int], way: str) -> Report:
    """Seconds a step (of each tile) of the encoder attack on a photograph enlarged to (width, height), and the peak."""
    image = plan.pictures(1)[0].resize(size, Image.Resampling.BICUBIC)
    job = plan.job(run={"whole": way, "size": plan.side}, protect={"steps": STEPS})
    run_to_end(workflow.protect_picture(plan.pictures(1)[0], job))  # what is loaded and set up once
    forget_peak(plan.device)
    began = time.monotonic()
    run_to_end(workflow.protect_picture(image, job))
    seconds = time.monotonic() - began
    peak = peak_memory(plan.device)
    tiles = pieces_of(size, job.run)[0]
    return {
        "width": size[0], "height": size[1], "way": way, "tiles": tiles, "seconds": seconds / STEPS,
        "peak": None if peak is None else peak / MIB,
    }  # fmt: skip
