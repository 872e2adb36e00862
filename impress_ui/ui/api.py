"""The typed endpoints for programs: a file and a JSON of settings in, a file and a JSON report out.

Endpoints hang on hidden widgets rather than on ``gr.api``, whose file arguments are not checked: a caller
could name any file of the server.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from impress_ui.core.errors import UserError
from impress_ui.settings import JobSettings
from impress_ui.ui.components import picture_input, picture_output
from impress_ui.ui.forms import job_from_json
from impress_ui.ui.handlers import DEVICE
from impress_ui.ui.mistakes import explain

if TYPE_CHECKING:
    from PIL import Image

    from impress_ui.core.images import Picture
    from impress_ui.core.optimise import Step
    from impress_ui.ui.runs import Kind

Report = dict[str, Any]
Streamed = Iterator[tuple[str | None, Report]]


def connect_api() -> None:
    """Add the endpoints /protect, /purify, /reconstruct, /measure and /stop to the current ``gr.Blocks``."""
    with gr.Row(visible=False):
        image = picture_input("image", "Picture to work on")
        reference = picture_input("reference", "Picture to measure against")
        mask = picture_input("mask", "White where pixels may change")
        target = picture_input("target", "Picture whose latent the attack aims at")
        settings = gr.JSON(label="settings")
        result = picture_output("result", "The picture that was made")
        report = gr.JSON(label="report")
        trigger = gr.Button()
    outputs = [result, report]
    trigger.click(protect, [image, settings, mask, target], outputs, api_name="protect", **DEVICE)
    trigger.click(purify, [image, settings, mask], outputs, api_name="purify", **DEVICE)
    trigger.click(reconstruct, [image, settings], outputs, api_name="reconstruct", **DEVICE)
    trigger.click(measure, [image, reference, settings], [report], api_name="measure", **DEVICE)
    trigger.click(stop, None, [report], api_name="stop", queue=False)


def protect(
    image: str,
    settings: dict | None = None,
    mask: str | None = None,
    target: str | None = None,
    request: gr.Request = None,
) -> Streamed:
    """Protect a picture; streams {"phase", "step", "steps", "losses", "seconds_left"}, then the file and its report."""
    with _job(settings, request) as job:
        from impress_ui.core import workflow

        yield from job.wait()
        picture = job.open(image)
        steps = workflow.protect_picture(
            picture.image, job.settings, mask=job.extra(mask), target=job.extra(target), should_stop=job.should_stop
        )
        yield from job.stream("protect", "protected", picture, steps)


def purify(image: str, settings: dict | None = None, mask: str | None = None, request: gr.Request = None) -> Streamed:
    """Purify a protected picture; streams like ``protect``."""
    with _job(settings, request) as job:
        from impress_ui.core import workflow

        yield from job.wait()
        picture = job.open(image)
        steps = workflow.purify_picture(picture.image, job.settings, mask=job.extra(mask), should_stop=job.should_stop)
        yield from job.stream("purify", "purified", picture, steps)


def reconstruct(image: str, settings: dict | None = None, request: gr.Request = None) -> Streamed:
    """V(x) = D(E(x)): what the latent diffusion model sees of the picture, and the measures of x."""
    with _job(settings, request) as job:
        from impress_ui.core import workflow

        yield from job.wait()
        picture = job.open(image)
        made = workflow.reconstruct(picture.image, job.settings)
        measures = workflow.measures_of(picture.image, job.settings, reconstruction=made)
        yield job.save("reconstructed", made), job.report(picture, measures=measures)


def measure(image: str, reference: str, settings: dict | None = None, request: gr.Request = None) -> Iterator[Report]:
    """SSIM, PSNR, LPIPS, L-inf and L2 of a picture against a reference, and the round-trip error of both."""
    with _job(settings, request) as job:
        from impress_ui.core import metrics, workflow

        for _, report in job.wait():
            yield report
        first, second = job.open(image), job.open(reference)
        workflow.same_size(first.image, second, "reference")
        own = {
            name: workflow.measures_of(picture.image, job.settings)
            for name, picture in (("image", first), ("reference", second))
        }
        yield {
            **metrics.measure(first.image, second.image).as_dict(),
            "round_trip_error": {name: measures["round_trip_error"] for name, measures in own.items()},
            "verdict": {name: measures["verdict"] for name, measures in own.items()},
            "notes": {"image": list(first.notes), "reference": list(second.notes)},
        }


def stop(request: gr.Request) -> Report:
    """End the caller's running jobs after their current step; their streams then give the partial result."""
    from impress_ui.ui.runs import JOBS

    return {"stopping": JOBS.stop(request.session_hash)}


@contextmanager
def _job(settings: Any, request: gr.Request) -> Iterator[_Job]:
    """A caller's job; any mistake inside becomes one sentence.

    Its folder lasts until the last result is delivered, when Gradio has copied it into its cache.
    """
    try:
        from impress_ui.ui import runs

        job = job_from_json(settings)
        with (
            runs.JOBS.open(request.session_hash) as should_stop,
            runs.device_for(should_stop) as waiting,
            tempfile.TemporaryDirectory() as folder,
        ):
            yield _Job(job, should_stop, waiting, Path(folder))
    except Exception as error:
        raise gr.Error(explain(error), print_exception=False) from None


@dataclass(frozen=True)
class _Job:
    """What an endpoint needs of its job."""

    settings: JobSettings
    should_stop: Callable[[], bool]
    waiting: Iterator[float]
    folder: Path

    def wait(self) -> Streamed:
        """Stream that the job waits, until the device is its own."""
        for _ in self.waiting:
            yield None, {"phase": "Waiting"}
        if self.should_stop():
            raise UserError("The job was stopped before it began.")

    def open(self, path: str | None) -> Picture:
        from impress_ui.ui.runs import open_at

        return open_at(path, self.settings)

    def extra(self, path: str | None) -> Image.Image | None:
        """A mask or a target, which the core fits to the picture."""
        from impress_ui.core.images import open_picture

        return open_picture(path).image if path else None

    def save(self, kind: str, image: Image.Image, **facts: Any) -> str:
        from impress_ui.core.images import save_png
        from impress_ui.core.workflow import describe_result

        return str(save_png(image, self.folder / f"{kind}.png", describe_result(kind, self.settings, **facts)))

    def report(self, picture: Picture, **facts: Any) -> Report:
        return {"settings": self.settings.model_dump(mode="json"), "notes": list(picture.notes), **facts}

    def stream(self, kind: Kind, made: str, picture: Picture, steps: Iterator[Step]) -> Streamed:
        """Progress without pictures, then the result with its measures."""
        from impress_ui.core.workflow import measures_of
        from impress_ui.ui.runs import follow

        for progress in follow(kind, steps):
            if progress.result is None:
                losses = {name: values[-1] for name, values in progress.curves.items()}
                told = {"phase": progress.phase, "step": progress.index, "steps": progress.steps, "losses": losses}
                yield None, {**told, "seconds_left": progress.seconds_left}
                continue
            facts = {"stopped": progress.stopped, "steps_done": progress.index, "seconds": round(progress.seconds, 3)}
            measures = measures_of(progress.result, self.settings, picture.image)
            path = self.save(made, progress.result, measures=measures, **facts)
            yield path, self.report(picture, measures=measures, losses=dict(progress.curves), **facts)
