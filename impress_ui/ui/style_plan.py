"""What a study of a style is to be, what it will cost, and its steps as the page and the API show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impress_ui.core.artists.works import photographs_of
from impress_ui.core.images import SUFFIXES
from impress_ui.core.mimic import GENERATED_AT_ONCE
from impress_ui.core.optimise import ShouldStop
from impress_ui.core.style import AT_ONCE, StudyStep, StyleStudy
from impress_ui.jobs import throttled
from impress_ui.recipes import STUDY_PROTECTIONS
from impress_ui.settings import EditSettings, GenerateSettings, JobSettings, ProtectSettings
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.page import Page
from impress_ui.ui.progress import INTERVAL, Clock, Timing, Work, estimate, work_of

SIDE = 128  # of a work, for an estimate before the model is there
VARIANTS = 3


@dataclass(frozen=True)
class Wanted:
    """What a study is begun with: equal ones are the same study.

    ``artist`` is one of ours, or what captions call the style of the visitor's own ``files``.
    """

    artist: str
    files: tuple[str, ...]
    job: JobSettings

    @property
    def works(self) -> int:
        """How many works there are to learn from."""
        pictures = sum(Path(file).suffix.lower() in SUFFIXES for file in self.files)
        return min(self.job.mimic.works, pictures if self.files else len(photographs_of("train")))


def wanted_on(page: Page, values: Mapping[Any, Any]) -> Wanted:
    """The study that the page's widgets ask for.

    Raises:
        ValidationError, UserError: as ``job_from_widgets``.
    """
    job = job_from_widgets(page, values)
    protection = STUDY_PROTECTIONS.get(values[page.style_protection])
    if protection is not None:
        job = job.model_copy(update={"protect": ProtectSettings(**protection)})
    files = tuple(map(str, values[page.style_files] or ()))
    name = values[page.style_name] if files else values[page.style_artist]
    return Wanted((name or "").strip(), files, relevant(job))


def relevant(job: JobSettings) -> JobSettings:
    """The settings without those that a study makes no use of, so that it is not begun anew when they change."""
    unused = GenerateSettings.model_fields.keys() & {"prompt", "count", "width", "height"}
    sampling = {name: value for name, value in job.generate.model_dump().items() if name not in unused}
    return job.model_copy(update={"edit": EditSettings(), "generate": GenerateSettings(**sampling)})


def cost(wanted: Wanted) -> tuple[float, list[str]]:
    """(seconds that the phases measured so far will take, what has not been measured yet)."""
    job, count, size = wanted.job, wanted.works, (SIDE, SIDE)
    batches = -(-count // AT_ONCE)
    rounds = -(-job.mimic.imitations // GENERATED_AT_ONCE) * VARIANTS
    parts = {"fine-tuning": (_work("fine-tune", job, size, count), job.mimic.steps * VARIANTS),
             "protecting": (_work("protect", job, size, count), job.protect.steps * batches),
             "generating": (_work("generate", job, size, count), job.generate.sampling_steps * rounds)}  # fmt: skip
    if job.purify.method == "impress":
        parts["purifying"] = _work("purify", job, size, count), job.purify.steps * batches
    seconds = {name: estimate(work, steps) for name, (work, steps) in parts.items()}
    return sum(filter(None, seconds.values())), [name for name, value in seconds.items() if value is None]


def follow(study: StyleStudy, should_stop: ShouldStop) -> Iterator[tuple[StudyStep, Timing]]:
    """Run a study to its end, yielding the steps that are due to be shown, each with its place within its phase."""
    size, place, clock = study.images[0].size, None, None
    for step, due in throttled(study.run(should_stop=should_stop), INTERVAL, _telling):
        if clock is None or place != (step.phase, step.variant):
            place = step.phase, step.variant
            clock = Clock(_work(step.phase, study.job, size, len(study.works)))
        timing = clock.at(step.index, step.steps, step.stopped or step.index == step.steps)
        if due:
            yield step, timing


def _telling(step: StudyStep) -> bool:
    """The end of a phase and a sample are always shown."""
    return step.stopped or step.index == step.steps or step.preview is not None


def _work(phase: str, job: JobSettings, size: tuple[int, int], count: int) -> Work:
    if phase == "fine-tune":
        return work_of("fine-tune", job, size, job.mimic.batch)
    if phase in ("protect", "purify"):
        return work_of(phase, job, size, min(count, AT_ONCE))  # type: ignore[arg-type]  # narrowed by the line above
    return work_of("generate", job, size, min(job.mimic.imitations, GENERATED_AT_ONCE))
