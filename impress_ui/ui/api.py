"""The typed endpoints for programs: a file and a JSON of settings in, a file and a JSON report out.

Endpoints hang on hidden widgets rather than on ``gr.api``, whose file arguments are not checked: a caller
could name any file of the server.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gradio as gr

from impress_ui.errors import UserError
from impress_ui.settings import JobSettings
from impress_ui.ui.api_job import ApiJob, Report, Streamed, StreamedFiles
from impress_ui.ui.components import picture_input, picture_output, settings_input
from impress_ui.ui.engine import load_engine
from impress_ui.ui.forms import job_from_json, settings_report
from impress_ui.ui.mistakes import explain
from impress_ui.ui.page import DEVICE
from impress_ui.ui.record import new_folder
from impress_ui.ui.sessions import session_of
from impress_ui.ui.zero_gpu import JOBS, seconds_for, stream

Body = Callable[..., Iterator[tuple[Any, Report]]]

# What the endpoints take, as agents and screen readers are told it.
PARAMETERS = {
    "image": "Picture to work on",
    "protected": "The same picture, protected",
    "purified": "The same picture, purified",
    "original": "The same picture, unprotected",
    "reference": "Picture to measure against",
    "mask": "Picture of the same shape, white where pixels may change",
    "target": "Picture whose latent the attack aims at",
    "settings": "Settings by sections, all optional, such as {'protect': {'budget': 8}, 'run': {'seed': 1}}; the "
    "endpoint for settings lists each with its default",
    "universal": "Perturbation that the endpoint for universal ones made",
    "works": "Pictures, and captions.txt if there is one",
    "artist": "Name of one of the artists that come along, or, with works, what their captions call their style",
    "source": "Settings as JSON, a share link, or a preset's name; empty for the defaults",
}


def told(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint with its parameters in its docstring, where MCP looks for them."""
    lines = [f"    {name}: {PARAMETERS[name]}" for name in inspect.signature(endpoint).parameters if name in PARAMETERS]
    endpoint.__doc__ = "\n".join([inspect.getdoc(endpoint) or "", "", "Args:", *lines])
    return endpoint


def connect_api() -> None:
    """Add an endpoint a job, /measure, /settings and /stop, to the ``gr.Blocks``."""
    with gr.Row(visible=False):
        pictures = ("image", "protected", "purified", "original", "reference", "mask", "target")
        image, protected, purified, original, reference, mask, target = (
            picture_input(name, PARAMETERS[name]) for name in pictures
        )
        settings = settings_input()
        perturbation = gr.File(label="universal", type="filepath")
        works = gr.File(label="works", file_count="multiple", type="filepath")
        artist = gr.Textbox(label="artist")
        source = gr.Textbox(label="source")
        result = picture_output("result", "The picture that was made")
        files = gr.File(label="files", file_count="multiple", interactive=False)
        report = gr.JSON(label="report")
        trigger = gr.Button()
    outputs = [result, report]
    trigger.click(protect, [image, settings, mask, target, perturbation], outputs, api_name="protect", **DEVICE)
    trigger.click(universal, [works, settings, target], outputs, api_name="universal", **DEVICE)
    trigger.click(purify, [image, settings, mask], outputs, api_name="purify", **DEVICE)
    trigger.click(reconstruct, [image, settings], outputs, api_name="reconstruct", **DEVICE)
    edited = [image, settings, protected, purified, mask]
    trigger.click(edit, edited, [files, report], api_name="edit", **DEVICE)
    trigger.click(generate, [settings], [files, report], api_name="generate", **DEVICE)
    trigger.click(stress, [image, settings, original], [files, report], api_name="stress", **DEVICE)
    trigger.click(explore, [image, settings, protected, mask], [files, report], api_name="explore", **DEVICE)
    trigger.click(style, [artist, settings, works], [files, report], api_name="style", **DEVICE)
    trigger.click(measure, [image, reference, settings], [report], api_name="measure", **DEVICE)
    trigger.click(settings_of, [source], [report], api_name="settings", queue=False)
    trigger.click(stop, None, [report], api_name="stop", queue=False)


@told
def protect(
    image: str,
    settings: dict | None = None,
    mask: str | None = None,
    target: str | None = None,
    universal: str | None = None,
    request: gr.Request = None,
) -> Streamed:
    """Protect a picture; streams {"phase", "step", "steps", "losses", "seconds_left"}, then the file and its report.

    With a perturbation that ``/universal`` made, that one is added instead of an attack.
    """
    yield from call(protect, settings, request, image, mask, target, universal)


@told
def universal(
    works: list[str], settings: dict | None = None, target: str | None = None, request: gr.Request = None
) -> Streamed:
    """Learn one perturbation over pictures, their middle squares at the working size, by the settings' ``protect``.

    Streams like ``/protect``, then the perturbation's file, which ``/protect`` adds to any picture, and a report.
    """
    yield from call(universal, settings, request, works, target)


@told
def purify(image: str, settings: dict | None = None, mask: str | None = None, request: gr.Request = None) -> Streamed:
    """Purify a protected picture; streams like ``protect``."""
    yield from call(purify, settings, request, image, mask)


@told
def reconstruct(image: str, settings: dict | None = None, request: gr.Request = None) -> Streamed:
    """V(x) = D(E(x)): what the latent diffusion model sees of the picture, and the measures of x."""
    yield from call(reconstruct, settings, request, image)


@told
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
    yield from call(edit, settings, request, image, protected, purified, mask)


@told
def generate(settings: dict | None = None, request: gr.Request = None) -> StreamedFiles:
    """Make pictures from text alone, as the settings' ``generate`` says; streams like ``edit``.

    The pictures have the seeds seed, seed + 1, ...: the report lists them in the files' order.
    """
    yield from call(generate, settings, request)


@told
def stress(
    image: str, settings: dict | None = None, original: str | None = None, request: gr.Request = None
) -> StreamedFiles:
    """Run a protected picture through the purifiers of the settings' ``stress``, as a protection has to stand them.

    Streams {"phase", "purifier", "purifiers", "step", "steps", "seconds_left"}, then the test's files (pictures, table,
    scatter) and a report: the ranked rows and the verdict. With the original the figures mean more.
    """
    yield from call(stress, settings, request, image, original)


@told
def style(
    artist: str, settings: dict | None = None, works: list[str] | None = None, request: gr.Request = None
) -> StreamedFiles:
    """Study a style: protect and purify an artist's works, fine-tune the model on each set, imitate, and judge.

    The artist is one that comes along, or, with works (pictures, and captions.txt if there is one), what captions call
    their style. Without ``protect`` and ``purify`` in the settings, both are quick ones. Streams {"phase", "works",
    "stage", "stages", "step", "steps", "losses"}, then a zip (pictures, losses, adapters) and a report with the share
    of imitations that the classifier takes for the artist's.
    """
    yield from call(style, settings, request, artist, works, settings)


@told
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
    yield from call(explore, settings, request, image, protected, mask)


@told
def measure(image: str, reference: str, settings: dict | None = None, request: gr.Request = None) -> Iterator[Report]:
    """SSIM, PSNR, VIFp, LPIPS, L-inf and L2 of a picture against a reference, and the round-trip error of both."""
    for _, report in call(measure, settings, request, image, reference):
        yield report


@told
def settings_of(source: str) -> Report:
    """Check settings and write them out in full: JSON, a share link, or the name of a preset.

    Gives {"settings", "link"}: every setting with its value, and the query that makes them again.
    """
    try:
        return settings_report(source)
    except Exception as error:
        raise gr.Error(explain(error), print_exception=False) from None


def stop(request: gr.Request) -> Report:
    """End the caller's running jobs after their current step; their streams then give the partial result."""
    load_engine()
    from impress_ui.ui.runs import JOBS

    return {"stopping": JOBS.stop(session_of(request))}


def call(endpoint: Body, settings: Any, request: gr.Request, *args: Any) -> Iterator[tuple[Any, Report]]:
    """Run the function of ``api_bodies`` that has the endpoint's name; any mistake inside becomes one sentence.

    While a checkpoint comes from the hub it streams {"phase": "Fetching", "part", "bytes", "of"}, and while others
    have the device {"phase": "Waiting", "ahead", "seconds"}. A report's "cut" says why the job was ended early on a
    public page. What it makes lasts as long as the caller's session.
    """
    job = None
    try:
        load_engine()
        from impress_ui.jobs.fetching import fetched
        from impress_ui.ui import api_bodies, runs

        body = getattr(api_bodies, endpoint.__name__)
        job, session = job_from_json(settings), session_of(request)
        kinds = (body.__name__,)
        with ExitStack() as held:
            own = held.enter_context(runs.JOBS.open(session))
            for step in fetched(job, kinds, own):
                yield None, {"phase": "Fetching", "part": step.part, "bytes": step.done, "of": step.total}
            for turn in held.enter_context(runs.device_for(own)):
                yield None, {"phase": "Waiting", "ahead": turn.ahead, "seconds": round(turn.seconds, 1)}
            if own():
                raise UserError("The job was stopped before it began.")
            parts = kinds if body.__name__ in JOBS else ()
            work = (body, job, str(new_folder(session)), args)
            for made, report in stream(seconds_for(parts, job), _work, work, own):
                yield made, {**report, "cut": own.cut} if own.cut else report
    except Exception as error:
        raise gr.Error(explain(error, job), print_exception=False) from None


def _work(
    body: Body, job: JobSettings, folder: str, args: tuple[Any, ...], *, should_stop: Callable[[], bool]
) -> Iterator[tuple[Any, Report]]:
    yield from body(ApiJob(job, should_stop, Path(folder)), *args)
