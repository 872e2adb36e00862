"""What the page and the API share in running jobs: who has the device, what was uploaded, what computes.

It imports torch, as the rooms' ``run.py`` do: whoever builds the page imports these inside functions, by
``engine.load_engine``, so that the page is ready before torch is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

# All of diffusers that loading needs, here, where Python lets one thread import at a time: its lazy parts do not.
from diffusers import AutoencoderKL, StableDiffusionImg2ImgPipeline, UNet2DConditionModel  # noqa: F401
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.models.autoencoder import pick_device
from impress_ui.pictures.images import Picture, fit, open_picture, read_metadata
from impress_ui.pictures.sizes import at_size
from impress_ui.settings import JobSettings
from impress_ui.ui.progress import follow, follow_samples, work_of
from impress_ui.ui.public import HOST
from impress_ui.ui.queue import Job, Jobs, Waiting
from impress_ui.ui.zero_gpu import ON_ZERO_GPU

NO_PICTURE = "There is no picture yet: upload one, or click an example."

JOBS = Jobs(longest=HOST.longest)
logger = logging.getLogger(__name__)


def device_for(job: Job) -> AbstractContextManager[Iterator[Waiting]]:
    """``Job.device``; where every call is lent a GPU of its own, nobody waits."""
    return nullcontext(iter(())) if ON_ZERO_GPU else job.device()


def open_at(path: str | None, job: JobSettings, *, whole: bool = False) -> Picture:
    """The uploaded picture at its working size, or at its own for a job that does it ``whole``.

    Raises:
        UserError: there is none, or it cannot be used.
    """
    if not path:
        raise UserError(NO_PICTURE)
    return at_size(open_picture(path), job.run.size, whole=whole and job.run.whole != "no")


def made_here(path: str) -> dict[str, Any]:
    """What an uploaded file says about itself, if this program saved it; empty otherwise."""
    return read_metadata(path) or {}


def mask_of(editor: dict | None) -> Image.Image | None:
    """The strokes of an image editor as a mask, white where the person painted; None when nothing is painted."""
    layers = (editor or {}).get("layers") or []
    if not layers:
        return None
    painted = np.maximum.reduce([np.asarray(layer.convert("RGBA").getchannel("A")) for layer in layers])
    return Image.fromarray(painted) if painted.any() else None


def warm_up(photograph: Path) -> None:
    """Load what a first run needs and measure the pace, before anybody clicks; run it in a thread of its own."""
    job = JobSettings().updated(protect={"steps": 2}, purify={"steps": 2}, edit={"sampling_steps": 4})
    try:
        if ON_ZERO_GPU:  # no GPU is there yet, but what is loaded now is in every worker from its start
            workflow.load_diffusion_model(job.run)
            return
        picture, side = open_picture(photograph), job.run.size
        # A processor's time goes with the pixels: a quarter of them tells the pace, within a tenth.
        image = fit(picture, side // 2 if pick_device(job.run.device) == "cpu" else side).image
        workflow.measures_of(image, job, image)
        with JOBS.open("warm-up") as own, device_for(own) as waiting:
            for _ in waiting:  # somebody clicked already: their run is the measurement
                return
            for kind, run in (("protect", workflow.protect_picture), ("purify", workflow.purify_picture)):
                for progress in follow(work_of(kind, job, image.size), run(image, job)):
                    logger.debug("%s: %.2f steps/s", kind, progress.timing.rate)
        workflow.load_diffusion_model(job.run)
        image = fit(picture, side).image  # sampling has more to do beside it
        with JOBS.open("warm-up") as own, device_for(own) as waiting:
            for _ in waiting:
                return
            for progress in follow_samples(work_of("edit", job, image.size), workflow.edit_pictures([image], job)):
                logger.debug("edit: %.2f steps/s", progress.timing.rate)
    except UserError as error:
        logger.warning("The default model cannot be loaded: %s", error)
