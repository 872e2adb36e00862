"""The typed endpoints for programs: a file and a JSON of settings in, a file and a JSON report out.

Endpoints hang on hidden widgets rather than on ``gr.api``, whose file arguments are not checked: a caller
could name any file of the server.
"""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from impress_ui.ui.api_job import Report, Streamed, StreamedFiles, job_of
from impress_ui.ui.components import picture_input, picture_output
from impress_ui.ui.handlers import DEVICE
from impress_ui.ui.sessions import session_of


def connect_api() -> None:
    """Add an endpoint a job, and /stop, to the ``gr.Blocks``."""
    with gr.Row(visible=False):
        image = picture_input("image", "Picture to work on")
        protected = picture_input("protected", "The same picture, protected")
        purified = picture_input("purified", "The same picture, purified")
        original = picture_input("original", "The same picture, unprotected")
        reference = picture_input("reference", "Picture to measure against")
        mask = picture_input("mask", "White where pixels may change")
        target = picture_input("target", "Picture whose latent the attack aims at")
        settings = gr.JSON(label="settings")
        result = picture_output("result", "The picture that was made")
        files = gr.File(label="files", file_count="multiple", interactive=False)
        report = gr.JSON(label="report")
        trigger = gr.Button()
    outputs = [result, report]
    trigger.click(protect, [image, settings, mask, target], outputs, api_name="protect", **DEVICE)
    trigger.click(purify, [image, settings, mask], outputs, api_name="purify", **DEVICE)
    trigger.click(reconstruct, [image, settings], outputs, api_name="reconstruct", **DEVICE)
    edited = [image, settings, protected, purified, mask]
    trigger.click(edit, edited, [files, report], api_name="edit", **DEVICE)
    trigger.click(generate, [settings], [files, report], api_name="generate", **DEVICE)
    trigger.click(stress, [image, settings, original], [files, report], api_name="stress", **DEVICE)
    trigger.click(explore, [image, settings, protected, mask], [files, report], api_name="explore", **DEVICE)
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
    with job_of(settings, request) as job:
        from impress_ui.core import workflow

        yield from job.wait()
        picture = job.open(image)
        steps = workflow.protect_picture(
            picture.image, job.settings, mask=job.extra(mask), target=job.extra(target), should_stop=job.should_stop
        )
        yield from job.stream("protect", "protected", picture, steps)


def purify(image: str, settings: dict | None = None, mask: str | None = None, request: gr.Request = None) -> Streamed:
    """Purify a protected picture; streams like ``protect``."""
    with job_of(settings, request) as job:
        from impress_ui.core import workflow

        yield from job.wait()
        picture = job.open(image)
        steps = workflow.purify_picture(picture.image, job.settings, mask=job.extra(mask), should_stop=job.should_stop)
        yield from job.stream("purify", "purified", picture, steps)


def reconstruct(image: str, settings: dict | None = None, request: gr.Request = None) -> Streamed:
    """V(x) = D(E(x)): what the latent diffusion model sees of the picture, and the measures of x."""
    with job_of(settings, request) as job:
        from impress_ui.core import workflow

        yield from job.wait()
        picture = job.open(image)
        made = workflow.reconstruct(picture.image, job.settings)
        measures = workflow.measures_of(picture.image, job.settings, reconstruction=made)
        yield job.save("reconstructed", made), job.report(picture, measures=measures)


def edit(
    image: str,
    settings: dict | None = None,
    protected: str | None = None,
    purified: str | None = None,
    mask: str | None = None,
    request: gr.Request = None,
) -> StreamedFiles:
    """Edit a picture by text and, with the same noise, its protected and its purified version.

    Streams {"phase", "step", "steps", "seconds_left"}, then the edits in the order original, protected, purified, and
    a report with the measures of each against the original's edit. The settings' ``edit`` holds the prompt, the mode
    and the strength; white parts of the mask are repainted by the mode "inpaint".
    """
    with job_of(settings, request) as job:
        from impress_ui.core import workflow

        yield from job.wait()
        given = {"original": image, "protected": protected, "purified": purified}
        pictures = {name: job.open(path) for name, path in given.items() if path or name == "original"}
        for name, picture in pictures.items():
            workflow.same_size(pictures["original"].image, picture, f"{name} picture")
        images = [picture.image for picture in pictures.values()]
        steps = workflow.edit_pictures(images, job.settings, mask=job.extra(mask), should_stop=job.should_stop)
        yield from job.stream_edits(pictures, steps)


def generate(settings: dict | None = None, request: gr.Request = None) -> StreamedFiles:
    """Make pictures from text alone, as the settings' ``generate`` says; streams like ``edit``.

    The pictures have the seeds seed, seed + 1, ...: the report lists them in the files' order.
    """
    with job_of(settings, request) as job:
        from impress_ui.core import workflow
        from impress_ui.results import check_seeds

        check_seeds(job.settings)
        yield from job.wait()
        yield from job.stream_generated(workflow.generate_pictures(job.settings, should_stop=job.should_stop))


def stress(
    image: str, settings: dict | None = None, original: str | None = None, request: gr.Request = None
) -> StreamedFiles:
    """Run a protected picture through the purifiers of the settings' ``stress``, as a protection has to stand them.

    Streams {"phase", "purifier", "purifiers", "step", "steps", "seconds_left"}, then the test's files (pictures, table,
    scatter) and a report: the ranked rows and the verdict. With the original the figures mean more.
    """
    with job_of(settings, request) as job:
        yield from job.wait()
        yield from job.stream_stress(job.open(image), job.open(original) if original else None)


def explore(
    image: str,
    settings: dict | None = None,
    protected: str | None = None,
    mask: str | None = None,
    request: gr.Request = None,
) -> StreamedFiles:
    """Vary one or two settings over a picture, as the settings' ``explore`` says: {"x": "protect.budget", ...}.

    Streams {"phase", "cell", "cells", "step", "steps", "seconds_left"}, then the files (table, chart, sheet, every
    cell's pictures) and a report with every cell's figures. Where the purification alone is varied, the protected
    picture may be given; a stopped exploration gives what it has.
    """
    with job_of(settings, request) as job:
        yield from job.wait()
        picture, known = job.open(image), job.open(protected) if protected else None
        if known is not None:
            from impress_ui.core import workflow

            workflow.same_size(picture.image, known, "protected picture")
        yield from job.stream_explored(picture, known, mask)


def measure(image: str, reference: str, settings: dict | None = None, request: gr.Request = None) -> Iterator[Report]:
    """SSIM, PSNR, VIFp, LPIPS, L-inf and L2 of a picture against a reference, and the round-trip error of both."""
    with job_of(settings, request) as job:
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

    return {"stopping": JOBS.stop(session_of(request))}
