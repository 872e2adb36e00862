"""Protected, purified and edited pictures of a run, each made once and kept in the run's folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from PIL import Image
from torch import Tensor

from impress_ui.experiments.experiment import WHOLE_MODEL, Run
from impress_ui.experiments.settings import ExperimentSettings
from impress_ui.jobs.encoders import load_others
from impress_ui.jobs.workflow import edit_pictures, protect_picture, purify_picture
from impress_ui.methods.batches import BATCH, over_batches
from impress_ui.methods.optimise import Step, run_to_end
from impress_ui.methods.protect import needs_model, protect
from impress_ui.methods.purify import needs_model as purifier_needs_model
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures import photographs
from impress_ui.pictures.images import to_images
from impress_ui.settings import JobSettings, ProtectSettings, Settings

# One prompt a photograph, in turn: whatever the photograph shows, it is to become this.
PROMPTS = (
    "an oil painting of a mountain",
    "a watercolour of the sea",
    "a photograph of a desert",
    "a pencil sketch of a city",
    "a photograph of a snowy landscape",
    "an oil painting of a forest",
)


def prompt_of(name: str, settings: ExperimentSettings) -> str:
    """What a photograph of the settings' split is to become."""
    return PROMPTS[photographs.names_of(settings.split).index(name) % len(PROMPTS)]


def protected(name: str, original: Image.Image, job: JobSettings, run: Run) -> Image.Image:
    """The picture protected as the job says, from the job's seed.

    Args:
        name: what tells the picture from the others of the run.
    """
    return run.picture(protected_key(name, job), lambda: picture_of(protect_picture(original, job)))


def purified(name: str, picture: Image.Image, job: JobSettings, run: Run) -> Image.Image:
    """A picture that ``protected`` made with this job, purified as the job says."""
    return run.picture(purified_key(name, job), lambda: picture_of(purify_picture(picture, job)))


def picture_of(steps: Iterator[Step]) -> Image.Image:
    """The one picture that a run of steps ends with."""
    result = run_to_end(steps).result
    assert result is not None
    return to_images(result)[0]


def edited(key: str, picture: Image.Image, job: JobSettings, run: Run, prompt: str = "") -> Image.Image:
    """The edit of a picture as the job says, from the job's seed: the same noise for every picture.

    Args:
        key: what tells the picture from all others of the run; the run's edits are all of one kind.
        prompt: of an edit from image to image in place of the job's own.
    """
    job = job.updated(edit={"prompt": prompt, "mode": "img2img"}) if prompt else job
    return run.picture(f"edited {key}", lambda: edits_of([picture], job)[0])


def edits_from(
    key: str, picture: Image.Image, job: JobSettings, run: Run, count: int, prompt: str = ""
) -> list[Image.Image]:
    """``edited`` from so many noises: those of the job's seed and of the next ones."""
    return [
        edited(edit_key(key, seed), picture, job.updated(run={"seed": seed}), run, prompt)
        for seed in range(job.run.seed, job.run.seed + count)
    ]


def edit_key(key: str, seed: int) -> str:
    """The key under which ``edited`` keeps the edit from a seed's noise, after its first word."""
    return f"{key} seed {seed}"


def protected_at(
    budget: int,
    images: list[Image.Image],
    job: JobSettings,
    autoencoder: Autoencoder,
    *,
    settings: ProtectSettings | None = None,
    model: DiffusionModel | None = None,
) -> tuple[list[Image.Image], float]:
    """(pictures protected at a budget, seconds) with the given or the job's other settings, and the job's seed."""
    settings = (settings or job.protect).model_copy(update={"budget": budget})
    seed, others = job.run.seed, load_others(job.model_copy(update={"protect": settings}))
    return in_batches(
        images, lambda x: protect(x, settings, autoencoder, model=model, seed=seed, others=others), autoencoder
    )


def in_batches(
    images: list[Image.Image], run: Callable[[Tensor], Iterator[Step]], autoencoder: Autoencoder
) -> tuple[list[Image.Image], float]:
    """(results, seconds) of a run over pictures in batches of one size."""
    results: list[Image.Image] = []
    began = time.monotonic()
    for _ in over_batches(images, results, lambda x, first: run(x), autoencoder.device):
        pass
    return results, time.monotonic() - began


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


def edits_of(pictures: Sequence[Image.Image], job: JobSettings) -> list[Image.Image]:
    """The edit of each picture, all from the same noise."""
    made: list[Image.Image] = []
    for first in range(0, len(pictures), BATCH):
        *_, last = edit_pictures(pictures[first : first + BATCH], job)
        assert last.results is not None
        made += last.results
    return made


def _words(settings: Settings) -> str:
    """The method, and then everything, so that different settings never share a picture."""
    data: dict[str, Any] = settings.model_dump(mode="json")
    return f"{data['method']} {json.dumps(data, sort_keys=True)}"
