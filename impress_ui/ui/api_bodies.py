"""What each endpoint does once the device is its own: an opened job and the caller's arguments in, a stream out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from impress_ui.jobs import workflow
from impress_ui.jobs.explore import Exploration
from impress_ui.jobs.saving import check_seeds, squares_of
from impress_ui.jobs.stress import StressTest
from impress_ui.measures import metrics
from impress_ui.pictures.images import open_picture
from impress_ui.ui.api_job import ApiJob, Streamed, StreamedFiles
from impress_ui.ui.rooms.style import study as style_study


def protect(job: ApiJob, image: str, mask: str | None, target: str | None, universal: str | None) -> Streamed:
    """A protected picture, by an attack or by a perturbation that was learnt before."""
    picture, laid = job.masked(job.open(image, whole=True), mask)
    if universal:
        steps = workflow.apply_universal(picture.image, Path(universal), job.settings, mask=laid)
        yield from job.stream("protect", "protected", picture, steps)
        return
    picture, aim = job.aimed(picture, target)
    steps = workflow.protect_picture(picture.image, job.settings, mask=laid, target=aim, should_stop=job.should_stop)
    yield from job.stream("protect", "protected", picture, steps)


def universal(job: ApiJob, works: list[str] | None, target: str | None) -> Streamed:
    """A perturbation, as the file that ``protect`` takes."""
    images = squares_of(works or (), job.settings.run.size)
    aim = open_picture(target).image if target else None
    steps = workflow.learn_universal(images, job.settings, target=aim, should_stop=job.should_stop)
    yield from job.stream_universal(images, steps)


def purify(job: ApiJob, image: str, mask: str | None) -> Streamed:
    """A purified picture."""
    picture, laid = job.masked(job.open(image, whole=True), mask)
    steps = workflow.purify_picture(picture.image, job.settings, mask=laid, should_stop=job.should_stop)
    yield from job.stream("purify", "purified", picture, steps)


def reconstruct(job: ApiJob, image: str) -> Streamed:
    """V(x), and the measures of x."""
    picture = job.open(image)
    made = workflow.reconstruct(picture.image, job.settings)
    measures = workflow.measures_of(picture.image, job.settings, reconstruction=made)
    yield job.save("reconstructed", made, measures=measures), job.report(picture, measures=measures)


def edit(job: ApiJob, image: str, protected: str | None, purified: str | None, mask: str | None) -> StreamedFiles:
    """The edits of up to three versions of a picture."""
    given = {"original": image, "protected": protected, "purified": purified}
    pictures = {name: job.open(path) for name, path in given.items() if path or name == "original"}
    for name, picture in pictures.items():
        workflow.same_size(pictures["original"].image, picture, f"{name} picture")
    images = [picture.image for picture in pictures.values()]
    pictures["original"], laid = job.masked(pictures["original"], mask)
    steps = workflow.edit_pictures(images, job.settings, mask=laid, should_stop=job.should_stop)
    yield from job.stream_edits(pictures, steps)


def generate(job: ApiJob) -> StreamedFiles:
    """Pictures from text."""
    check_seeds(job.settings)
    yield from job.stream_generated(workflow.generate_pictures(job.settings, should_stop=job.should_stop))


def stress(job: ApiJob, image: str, original: str | None) -> StreamedFiles:
    """A stress test's files."""
    protected, clean = job.open(image), job.open(original) if original else None
    test = StressTest(protected.image, job.settings, None if clean is None else clean.image)
    notes = {"image": list(protected.notes), "original": [] if clean is None else list(clean.notes)}
    yield from job.stream_test(test, "purifier", notes)


def style(job: ApiJob, artist: str, works: list[str] | None, given: Any) -> StreamedFiles:
    """A study's zip."""
    chosen = isinstance(given, dict) and {"protect", "purify"} & set(given)
    settings = job.settings if chosen else style_study.quick(job.settings)
    yield from job.stream_study(style_study.begin(settings, artist or "", works or (), job.folder))


def explore(job: ApiJob, image: str, protected: str | None, mask: str | None) -> StreamedFiles:
    """An exploration's files."""
    picture, known = job.open(image), job.open(protected) if protected else None
    given = None if known is None else known.image
    picture, laid = job.masked(picture, mask)
    exploration = Exploration(picture.image, job.settings, given, laid)
    yield from job.stream_test(exploration, "cell", list(picture.notes))


def measure(job: ApiJob, image: str, reference: str) -> Streamed:
    """The measures of one picture against another."""
    first, second = job.open(image), job.open(reference)
    workflow.same_size(first.image, second, "reference")
    own = {
        name: workflow.measures_of(picture.image, job.settings)
        for name, picture in (("image", first), ("reference", second))
    }
    yield (
        None,
        {
            **metrics.measure(first.image, second.image).as_dict(),
            **{
                figure: {name: measures[figure] for name, measures in own.items()}
                for figure in ("round_trip_error", "budget_found", "verdict")
            },
            "notes": {"image": list(first.notes), "reference": list(second.notes)},
        },
    )
