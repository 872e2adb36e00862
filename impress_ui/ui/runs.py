"""Running jobs as the page and the API want them: steps become progress, with pace, curves and previews.

This is the page's only way to the core, and the module that imports torch: the others import it inside
their functions, so that the page is ready before torch is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from impress_ui.core import workflow
from impress_ui.core.errors import UserError
from impress_ui.core.images import Picture, fit, open_picture, read_metadata, to_images
from impress_ui.core.optimise import LossHistory, ShouldStop, Step
from impress_ui.jobs import Jobs, throttled
from impress_ui.settings import JobSettings

Kind = Literal["protect", "purify"]
PHASES: dict[Kind, str] = {"protect": "Protecting", "purify": "Purifying"}
INTERVAL = 0.33  # seconds between two updates of the page
PREVIEW_SIDE = 256

JOBS = Jobs()
logger = logging.getLogger(__name__)
# Seconds a step and pixel took in the last run of each kind: what the page's estimate is made of.
_pace: dict[Kind, float] = {}


@dataclass(frozen=True)
class Progress:
    """Where a run is. ``result`` is set on the last one; ``stopped`` when that came early by request."""

    kind: Kind
    index: int
    steps: int
    seconds: float
    rate: float
    curves: Mapping[str, list[float]]
    step: Step
    result: Image.Image | None

    @property
    def phase(self) -> str:
        return PHASES[self.kind]

    @property
    def stopped(self) -> bool:
        return self.step.stopped

    @property
    def seconds_left(self) -> float | None:
        """By the mean pace so far; unknown before the second step."""
        return (self.steps - self.index) / self.rate if self.rate else None

    def preview(self) -> Image.Image:
        """The current iterate, small enough to be sent a few times a second."""
        image = to_images(self.step.image[:1])[0]
        image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        return image


def follow(kind: Kind, steps: Iterator[Step]) -> Iterator[Progress]:
    """Run to the end, yielding the first step, the last, and those that are due in between."""
    history = LossHistory()
    began = first = time.monotonic()
    for step, due in throttled(steps, INTERVAL, lambda step: step.result is not None):
        history.add(step)
        now = time.monotonic()
        if step.index == 0:
            first = now  # loading the model is not the steps' pace
        rate = step.index / (now - first) if step.index and now > first else 0.0
        if step.result is not None and rate:
            _pace[kind] = 1 / (rate * step.picture.shape[-1] * step.picture.shape[-2])
        if due:
            result = to_images(step.result)[0] if step.result is not None else None
            yield Progress(kind, step.index, step.steps, now - began, rate, history.curves, step, result)


def estimate(kind: Kind, steps: int, size: tuple[int, int]) -> float | None:
    """Seconds that so many steps will take on a picture of (width, height); None before anything was measured."""
    return _pace[kind] * steps * size[0] * size[1] if kind in _pace else None


@contextmanager
def device_for(should_stop: ShouldStop) -> Iterator[Iterator[float]]:
    """The device for the length of the block; iterate over what it gives to wait, by seconds waited.

    A job that is stopped while it waits leaves the loop without the device: ask ``should_stop`` again after it.
    """
    held = False

    def wait() -> Iterator[float]:
        nonlocal held
        began = time.monotonic()
        while not should_stop():
            held = JOBS.acquire_device(0.2)
            if held:
                return
            yield time.monotonic() - began

    try:
        yield wait()
    finally:
        if held:
            JOBS.release_device()


def open_at(path: str | None, job: JobSettings) -> Picture:
    """The uploaded picture at its working size.

    Raises:
        UserError: there is none, or it cannot be used.
    """
    if not path:
        raise UserError("There is no picture yet: upload one, or click an example.")
    return fit(open_picture(path), job.run.size)


def made_here(path: str) -> str | None:
    """What kind of result of this program an uploaded file says it is."""
    try:
        kind = (read_metadata(path) or {}).get("kind")
    except (OSError, ValueError, SyntaxError):
        return None
    return kind if isinstance(kind, str) else None


def mask_of(editor: dict | None) -> Image.Image | None:
    """The strokes of an image editor as a mask, white where the person painted; None when nothing is painted."""
    layers = (editor or {}).get("layers") or []
    if not layers:
        return None
    painted = np.maximum.reduce([np.asarray(layer.convert("RGBA").getchannel("A")) for layer in layers])
    return Image.fromarray(painted) if painted.any() else None


def warm_up(photograph: Path) -> None:
    """Load what a first run needs and measure the pace, before anybody clicks; run it in a thread of its own."""
    job = JobSettings().updated(protect={"steps": 2}, purify={"steps": 2})
    try:
        image = fit(open_picture(photograph), job.run.size).image
        workflow.measures_of(image, job, image)
        with JOBS.open("warm-up") as should_stop, device_for(should_stop) as waiting:
            for _ in waiting:  # somebody clicked already: their run is the measurement
                return
            for kind, run in (("protect", workflow.protect_picture), ("purify", workflow.purify_picture)):
                for progress in follow(kind, run(image, job)):
                    logger.debug("%s: %.2f steps/s", kind, progress.rate)
    except UserError as error:
        logger.warning("The default model cannot be loaded: %s", error)
