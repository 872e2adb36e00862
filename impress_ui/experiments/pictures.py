"""Protected, purified and edited pictures of a run, each made once and kept in the run's folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from PIL import Image

from impress_ui.experiments.experiment import WHOLE_MODEL, Run
from impress_ui.jobs.workflow import edit_pictures, protect_picture, purify_picture
from impress_ui.methods.edit import SampleStep
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import needs_model
from impress_ui.methods.purify import needs_model as purifier_needs_model
from impress_ui.pictures.images import to_images
from impress_ui.settings import JobSettings, Settings


def protected(name: str, original: Image.Image, job: JobSettings, run: Run) -> Image.Image:
    """The picture protected as the job says, from the job's seed.

    Args:
        name: what tells the picture from the others of the run.
    """

    def make() -> Image.Image:
        result = run_to_end(protect_picture(original, job)).result
        assert result is not None
        return to_images(result)[0]

    return run.picture(protected_key(name, job), make)


def purified(name: str, picture: Image.Image, job: JobSettings, run: Run) -> Image.Image:
    """A picture that ``protected`` made with this job, purified as the job says."""

    def make() -> Image.Image:
        result = run_to_end(purify_picture(picture, job)).result
        assert result is not None
        return to_images(result)[0]

    return run.picture(purified_key(name, job), make)


def edited(key: str, picture: Image.Image, job: JobSettings, run: Run) -> Image.Image:
    """The edit of a picture as the job says, from the job's seed: the same noise for every picture.

    Args:
        key: what tells the picture from all others of the run; the run's edits are all of one kind.
    """
    return run.picture(f"edited {key}", lambda: _last(edit_pictures([picture], job)))


def protected_key(name: str, job: JobSettings) -> str:
    """Under which ``protected`` keeps its result: for contact sheets."""
    return f"protected {name} {_words(job.protect)}"


def purified_key(name: str, job: JobSettings) -> str:
    """Under which ``purified`` keeps its result."""
    return f"purified {name} {_words(job.purify)} of {_words(job.protect)}"


def parts_of(jobs: Iterable[JobSettings], *, edits: bool = False) -> tuple[str, ...]:
    """The parts of the checkpoint whose weights decide about the jobs' pictures."""
    denoiser = edits or any(needs_model(job.protect, target=False) or purifier_needs_model(job.purify) for job in jobs)
    return WHOLE_MODEL if denoiser else ("vae",)


def _last(steps: Iterator[SampleStep]) -> Image.Image:
    *_, last = steps
    assert last.results is not None
    return last.results[0]


def _words(settings: Settings) -> str:
    """The method, and then everything, so that different settings never share a picture."""
    data: dict[str, Any] = settings.model_dump(mode="json")
    return f"{data['method']} {json.dumps(data, sort_keys=True)}"
