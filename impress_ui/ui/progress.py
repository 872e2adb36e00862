"""A run's steps as the page and the API show them: throttled, with pace, time left, curves and small previews."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from impress_ui.measures.costs import PACE, attack_of, note_pace, pixels_of, sort_of
from impress_ui.methods.edit import SampleStep
from impress_ui.methods.optimise import LossHistory, Step
from impress_ui.methods.purify import planned_steps
from impress_ui.methods.universal import AT_ONCE
from impress_ui.methods.whole import pieces_of
from impress_ui.pictures.images import to_images, working_size
from impress_ui.settings import JobSettings, words_of
from impress_ui.ui.queue import throttled

Kind = Literal["protect", "purify", "edit", "generate"]
PHASES: dict[Kind, str] = {
    "protect": "Protecting",
    "purify": "Purifying",
    "edit": "Editing",
    "generate": "Generating",
}
INTERVAL = 0.33  # seconds between two updates of the page
PREVIEW_SIDE = 256
PREVIEW_SHARE = 0.2  # most of a sampler's time that its previews, which cost a decoding, may take


@dataclass(frozen=True)
class Work:
    """One step of a run: of which sort it is, and how much of that sort's work is in it."""

    kind: Kind
    sort: str
    amount: float


def work_of(kind: Kind, job: JobSettings, size: tuple[int, int], pictures: int = 1) -> Work:
    """The work in a step on pictures of (width, height), or on a piece of one that is done at its own size.

    Methods differ in pace, so each is a sort of its own.
    """
    size = pieces_of(size, job.run)[1]
    pixels = float(size[0] * size[1] * pictures)
    if kind == "purify":
        chained = job.purify.method == "chain"
        return Work(kind, words_of(job.purify) if chained else sort_of(job.purify), pixels_of(job.purify, size))
    if kind != "protect":
        sampling = job.edit if kind == "edit" else job.generate
        return Work(kind, "sampling", pixels * (2 if sampling.guidance > 1 else 1))
    return Work(kind, *attack_of(job.protect, size))


def generation(job: JobSettings) -> Work:
    """The work in a step of making the pictures that the settings ask for."""
    wanted = job.generate
    return work_of("generate", job, (wanted.width, wanted.height), wanted.count)


def learning(job: JobSettings, pictures: int) -> Work:
    """The work in a step of learning a universal perturbation over so many pictures."""
    one = work_of("protect", job, (job.run.size, job.run.size))
    return Work(one.kind, f"{one.sort}, universal", one.amount * min(AT_ONCE, pictures))


@dataclass(frozen=True)
class Timing:
    """Where a run is and how fast it goes."""

    kind: Kind
    index: int
    steps: int
    seconds: float
    rate: float

    @property
    def phase(self) -> str:
        return PHASES[self.kind]

    @property
    def seconds_left(self) -> float | None:
        """By the mean pace so far; unknown before the second step."""
        return (self.steps - self.index) / self.rate if self.rate else None


class Clock:
    """Times the steps of a run. What comes before the first, such as loading the model, is not their pace."""

    def __init__(self, work: Work) -> None:
        self.work, self.began = work, time.monotonic()
        self.first: tuple[int, float] | None = None

    def at(self, index: int, steps: int, last: bool) -> Timing:
        """The timing of a step that has just been reached; the last one's pace is kept for estimates."""
        now = time.monotonic()
        if self.first is None:
            self.first = index, now
        start, began = self.first
        rate = (index - start) / (now - began) if index > start and now > began else 0.0
        if last and rate:
            note_pace(self.work.sort, 1 / (rate * self.work.amount))
        return Timing(self.work.kind, index, steps, now - self.began, rate)


@dataclass(frozen=True)
class Progress:
    """Where an optimisation is. ``result`` is set on the last one; it was ``stopped`` when that came early."""

    timing: Timing
    curves: Mapping[str, list[float]]
    step: Step
    result: Image.Image | None

    @property
    def stopped(self) -> bool:
        return self.step.stopped

    def preview(self) -> Image.Image:
        """The current iterate, small enough to be sent a few times a second."""
        return _small(to_images(self.step.image[:1])[0])


@dataclass(frozen=True)
class SampleProgress:
    """Where a sampler is. ``previews`` are small pictures, None when none are due; ``results`` end the run."""

    timing: Timing
    previews: list[Image.Image] | None
    results: list[Image.Image] | None
    stopped: bool


def follow(work: Work, steps: Iterator[Step]) -> Iterator[Progress]:
    """Run to the end, yielding the first step, the last, and those that are due in between."""
    history, clock = LossHistory(), Clock(work)
    for step, due in throttled(steps, INTERVAL, lambda step: step.result is not None):
        history.add(step)
        timing = clock.at(step.index, step.steps, step.result is not None)
        if due:
            result = to_images(step.result)[0] if step.result is not None else None
            yield Progress(timing, history.curves, step, result)


def follow_samples(work: Work, steps: Iterator[SampleStep], *, previews: bool = True) -> Iterator[SampleProgress]:
    """Like ``follow``, for a sampler over a batch of pictures; without ``previews`` where nobody looks at them."""
    clock, next_preview = Clock(work), 0.0
    for step, due in throttled(steps, INTERVAL, lambda step: step.results is not None):
        timing = clock.at(step.index, step.steps, step.results is not None)
        if not due:
            continue
        shown, began = None, time.monotonic()
        if previews and step.results is None and began >= next_preview:
            shown = [_small(image) for image in step.previews()]
            ended = time.monotonic()
            next_preview = ended + (ended - began) * (1 / PREVIEW_SHARE - 1)
        yield SampleProgress(timing, shown, step.results, step.stopped)


def estimate(work: Work, steps: int) -> float | None:
    """Seconds that so many steps will take; None before a run of that sort was measured."""
    return PACE[work.sort] * work.amount * steps if work.sort in PACE else None


def expected(kind: Kind, job: JobSettings, size: tuple[int, int], pictures: int = 1) -> float | None:
    """Seconds that protecting, purifying or editing pictures of (width, height) will take, by the runs so far.

    The size is the picture's own; what is done at the working size is estimated there. None before a run of that sort
    was measured; 0 for a classical filter.
    """
    if kind == "purify":
        steps = planned_steps(job.purify)
    else:
        steps = job.protect.steps if kind == "protect" else job.edit.steps_taken
    if kind == "edit":
        size = working_size(size, job.run.size)
    else:
        steps *= pieces_of(size, job.run)[0]
    return estimate(work_of(kind, job, size, pictures), steps) if steps else 0.0


def _small(image: Image.Image) -> Image.Image:
    preview = image.copy()
    preview.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return preview
