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
# The jobs that a GPU is asked for; ``gpu_seconds.Work`` knows what each is made of.
JOBS = ("protect", "purify", "edit", "generate", "stress", "explore", "style")
# Seconds for 10^12 operations where none were measured (``bench --gpu-pace``), on the generous side: a call that
# outlasts what it asked for is ended; one that asks for more than a visitor's quota is refused.
ASSUMED_PACE = 0.5
START = 15  # seconds for the weights' way to the GPU, measuring and saving
LEAST, MOST = 20, 240
UNCOUNTED = 120  # for a checkpoint whose operations cannot be counted
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
    """Seconds of GPU to ask for; the least where nobody lends one.

    Args:
        parts: what the job does, of ``JOBS``.
        size: (width, height) of its pictures.

    Raises:
        UserError: the checkpoint is not to be had.
    """
    if not ON_ZERO_GPU or not parts:
        return LEAST
    from impress_ui.ui.gpu_seconds import reckoned

    pace = measured()
    try:
        wanted = reckoned(parts, job, size, pictures, pace.seconds if pace else ASSUMED_PACE, START)
    except UserError:
        raise
    except Exception:  # a configuration that diffusers builds otherwise than we do is no reason to refuse the job
        logger.exception("The operations of %s cannot be counted; the time is an assumption.", job.run.checkpoint)
        wanted = UNCOUNTED
    return round(min(MOST, max(LEAST, wanted)))


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
