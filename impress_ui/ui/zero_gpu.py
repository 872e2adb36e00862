"""Hugging Face's ZeroGPU, where a GPU is lent to one call at a time; everywhere else a job just runs.

There the lent GPU exists in a forked worker alone. What goes in and what comes out is pickled, and neither a lock nor
an event of this process reaches it: the device needs no line of ours, and Stop reaches the worker as a file.
"""

from __future__ import annotations

import functools
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from impress_ui.errors import UserError
from impress_ui.measures.gpu_pace import GpuPace, read_pace
from impress_ui.settings import JobSettings
from impress_ui.ui.mistakes import explain

T = TypeVar("T")
ON_ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
# Where no pace was measured (``bench --gpu-pace``): assumptions, on the generous side, for a 256x256 picture and the
# embedded checkpoint; none of this was run on ZeroGPU. A call that outlasts what it asked for is ended; one that asks
# for more than a visitor's quota is refused.
SECONDS_PER_STEP = {
    "protect": 0.06, "purify": 0.06, "edit": 0.05, "generate": 0.05, "stress": 0.06, "explore": 0.06, "style": 0.25,
}  # fmt: skip
START = 15  # seconds for the weights' way to the GPU, measuring and saving
LEAST, MOST = 20, 240
logger = logging.getLogger(__name__)


@functools.cache
def measured() -> GpuPace | None:
    """The pace that was measured, looked up once; a file that is none is told in the log, and not used."""
    try:
        pace = read_pace()
    except UserError as error:
        logger.warning("%s Until then the times asked for are assumptions.", error)
        return None
    if pace is not None:
        logger.info("Times asked for are reckoned from %s.", pace.sentence)
    return pace


def seconds_for(parts: tuple[str, ...], job: JobSettings, size: tuple[int, int] = (256, 256), pictures: int = 1) -> int:
    """Seconds of GPU to ask for.

    Args:
        parts: what the job does, of ``SECONDS_PER_STEP``.
        size: (width, height) of its pictures.
    """
    wanted = _reckoned(parts, job, size, pictures) if ON_ZERO_GPU and parts else None
    if wanted is None:
        wanted = START + sum(SECONDS_PER_STEP[part] * _steps(part, job, size, pictures) for part in parts)
    return round(min(MOST, max(LEAST, wanted)))


def _reckoned(parts: tuple[str, ...], job: JobSettings, size: tuple[int, int], pictures: int) -> float | None:
    """Seconds by the measured pace; None where there is none, or the checkpoint's operations cannot be counted."""
    pace = measured()
    if pace is None:
        return None
    from impress_ui.ui.gpu_seconds import reckoned

    try:
        return reckoned(parts, job, size, pictures, pace.seconds, START)
    except UserError:
        raise
    except Exception:  # a configuration that diffusers builds otherwise than we do is no reason to refuse the job
        logger.exception("The operations of %s cannot be counted; the time is an assumption.", job.run.checkpoint)
        return None


def _steps(part: str, job: JobSettings, size: tuple[int, int], pictures: int) -> float:
    """Steps as on one 256x256 picture."""
    from impress_ui.methods.purify import planned_steps
    from impress_ui.methods.whole import pieces_of
    from impress_ui.ui.progress import generation, work_of

    usual = 256.0 * 256.0
    if part == "protect":
        return job.protect.steps * pieces_of(size, job.run)[0] * work_of("protect", job, size).amount / usual
    if part == "purify":
        steps = planned_steps(job.purify) * pieces_of(size, job.run)[0]
        return steps * work_of("purify", job, size).amount / usual
    if part == "edit":
        return job.edit.steps_taken * work_of("edit", job, size, pictures).amount / usual
    if part == "generate":
        return job.generate.sampling_steps * generation(job).amount / usual
    if part == "stress":
        purifiers = job.stress.settings_of(job.purify).values()
        steps = sum(planned_steps(purifier) for purifier in purifiers) * (2 if job.stress.twins else 1)
        edits = (len(purifiers) + 2) * job.edit.sampling_steps if job.stress.edits else 0
        return (steps + edits) * size[0] * size[1] / usual
    if part == "explore":
        from impress_ui.jobs.explore import plan_of

        cells = [cell_job for _, cell_job in plan_of(job)]
        attacks = sum(
            _steps("protect", cell_job, size, pictures) for cell_job in {j.protect: j for j in cells}.values()
        )
        return attacks + sum(_steps("purify", cell_job, size, pictures) for cell_job in cells)
    study = job.mimic
    return 3 * study.steps + study.works / 8 * (job.protect.steps + planned_steps(job.purify))


def stream(
    seconds: int, body: Callable[..., Iterator[T]], args: tuple[Any, ...], should_stop: Callable[[], bool]
) -> Iterator[T]:
    """What ``body(*args, should_stop=...)`` yields, computed where the GPU is.

    Args:
        body: a function of a module, so that a worker finds it; it, its arguments and what it yields can be pickled
            and hold no tensor of a GPU.
    """
    if not ON_ZERO_GPU:
        yield from body(*args, should_stop=should_stop)
        return
    with tempfile.TemporaryDirectory() as folder:
        flag = Path(folder) / "stop"
        for item in _lent(seconds, body, args, str(flag)):
            if should_stop():
                flag.touch()
            yield item


def _lent(seconds: int, body: Callable[..., Iterator[T]], args: tuple[Any, ...], flag: str) -> Iterator[T]:
    """Runs in the worker; a mistake leaves it as the one kind of error that keeps its words."""
    try:
        _compare_gpus()
        yield from body(*args, should_stop=Path(flag).exists)
    except Exception as error:
        raise gr.Error(explain(error), print_exception=False) from None


def _compare_gpus() -> None:
    """Say in the log that the GPU that was lent is not the one whose pace was measured."""
    import torch

    pace = measured()
    if pace is not None and torch.cuda.is_available() and torch.cuda.get_device_name() != pace.device:
        lent = torch.cuda.get_device_name()
        logger.warning("The GPU's pace was measured on %s, and this is %s: measure it again there.", pace.device, lent)


def _seconds_asked(seconds: int, *_: Any) -> int:
    return seconds


if ON_ZERO_GPU:
    import spaces  # the platform brings it along

    _lent = spaces.GPU(duration=_seconds_asked)(_lent)
