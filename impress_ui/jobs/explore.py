"""An exploration: one or two settings varied over one picture, every cell protected, purified and measured.

    exploration = Exploration(original, job)
    for step in exploration.run():
        ...                                   # step.phase, step.seconds_left
    exploration.grid                          # what is done, whether stopped or not

Cells that share their protection share the protected picture. ``measures/grid.py`` says what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image
from pydantic import ValidationError

from impress_ui.errors import UserError
from impress_ui.jobs.items import ItemStep
from impress_ui.jobs.workflow import protect_picture, purify_picture, same_size
from impress_ui.measures.costs import (
    expected_protection,
    expected_seconds,
    measure_pace,
    measure_protection_pace,
    remember,
    remember_protection,
)
from impress_ui.measures.grid import Grid, GridCell, figures_of, words_of
from impress_ui.methods.optimise import ShouldStop, Step, never
from impress_ui.methods.protect import check_budget
from impress_ui.methods.purify import check_ready, needs_model, planned_steps
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures.images import Picture, to_images
from impress_ui.settings import MEASURES, JobSettings, ProtectSettings, sentence_of
from impress_ui.settings.sweep import Cell, cells_of

Planned = list[tuple[Cell, JobSettings]]


@dataclass(frozen=True)
class ExploredCell:
    """A cell that is done, the settings that made it, and its two pictures."""

    done: GridCell
    job: JobSettings
    protected: Image.Image
    purified: Image.Image


def plan_of(job: JobSettings) -> Planned:
    """The cells of ``job.explore`` with the settings of each.

    Raises:
        UserError: a range that the setting does not have, or a setting that the chosen method does not have.
    """
    try:
        return [(cell, job.at(cell)) for cell in cells_of(job.explore.axes())]
    except ValidationError as error:
        raise UserError(sentence_of(error)) from None
    except ValueError as error:
        raise UserError(f"This cannot be explored: {error}.") from None


def varies_protection(job: JobSettings) -> bool:
    """Whether any axis is one of the protection's."""
    return any(axis.name.startswith("protect.") for axis in job.explore.axes())


def expected_of(
    planned: Sequence[tuple[Cell, JobSettings]], size: tuple[int, int], made: Collection[ProtectSettings] = ()
) -> float | None:
    """Seconds that cells are going to take, where some protections are made already; None where a pace is unknown."""
    seconds, made = 0.0, set(made)
    for _, job in planned:
        parts = [expected_seconds(job.purify, size)]
        if job.protect not in made:
            parts.append(expected_protection(job.protect, size))
        made.add(job.protect)
        if None in parts:
            return None
        seconds += sum(part or 0.0 for part in parts)
    return seconds


@dataclass
class Exploration:
    """A picture over the axes of ``job.explore``.

    Args:
        protected: the same picture protected already, for axes of the purification alone; None to protect it here.
        mask, target: as ``workflow.protect_picture`` takes them.

    Raises:
        UserError: as ``plan_of`` does, a budget that needs a mask, or pictures of two sizes.
    """

    original: Image.Image
    job: JobSettings
    protected: Image.Image | None = None
    mask: Image.Image | None = None
    target: Image.Image | None = None
    cells: list[ExploredCell] = field(default_factory=list)
    expected: float | None = None

    def __post_init__(self) -> None:
        self.planned = plan_of(self.job)
        self.grid = Grid(self.job.explore.axes())
        for _, job in self.planned:
            check_budget(job.protect, self.mask is not None)
        if self.protected is not None:
            same_size(self.original, Picture(self.protected), "protected picture")
        self._made: dict[ProtectSettings, Image.Image] = {}
        if self.protected is not None and not varies_protection(self.job):
            self._made[self.planned[0][1].protect] = self.protected

    @property
    def count(self) -> int:
        return len(self.planned)

    def run(self, should_stop: ShouldStop = never) -> Iterator[ItemStep]:
        """Measure the pace, tell the cost, then one cell after the other; what is done is kept when stopped."""
        yield ItemStep("Measuring the pace", 0, self.count)
        autoencoder = load_autoencoder(self.job.run)
        check_ready((job.purify for _, job in self.planned), autoencoder)
        if not self._made:
            measure_protection_pace(self.planned[0][1].protect, self.original, autoencoder)
        purifiers = [job.purify for _, job in self.planned]
        if not any(needs_model(purifier) for purifier in purifiers):
            measure_pace(purifiers, self.original, autoencoder, None, should_stop)
        self.expected = self._left(0)
        yield ItemStep("Measured the pace", 0, self.count, seconds_left=self.expected)
        for number, (cell, job) in enumerate(self.planned):
            began = time.monotonic()
            for doing in (self._protect, self._purify):
                result = None if should_stop() else (yield from doing(number, should_stop))
                if result is None:
                    yield ItemStep("Stopped", number, self.count, stopped=True)
                    return
            protected = self._made[job.protect]
            figures = figures_of(self.original, protected, result, autoencoder)
            done = GridCell(cell, figures, time.monotonic() - began)
            self.grid.cells.append(done)
            self.cells.append(ExploredCell(done, job, protected, result))
            left = self._left(number + 1)
            yield ItemStep(words_of(cell), number + 1, self.count, seconds_left=left, done=True)

    def report(self) -> dict[str, Any]:
        """The whole exploration as plain data."""
        return {
            "axes": {axis.name: list(axis.values) for axis in self.grid.axes},
            "cells": [done.as_dict() for done in self.grid.cells],
            "planned": self.count,
            "expected_seconds": self.expected,
            "verdicts": {name: self.grid.verdict(name) for name in MEASURES},
        }

    def _protect(self, number: int, should_stop: ShouldStop) -> Generator[ItemStep, None, Image.Image | None]:
        _, job = self.planned[number]
        if job.protect in self._made:
            return self._made[job.protect]
        steps = protect_picture(self.original, job, mask=self.mask, target=self.target, should_stop=should_stop)
        times: list[float] = []
        result = yield from self._followed(steps, number, "protecting", job.protect.steps, times)
        if result is not None:
            self._made[job.protect] = result
            remember_protection(job.protect, self.original.size, times[-1] - times[0])
        return result

    def _purify(self, number: int, should_stop: ShouldStop) -> Generator[ItemStep, None, Image.Image | None]:
        _, job = self.planned[number]
        began = time.monotonic()
        steps = purify_picture(self._made[job.protect], job, mask=self.mask, should_stop=should_stop)
        result = yield from self._followed(steps, number, "purifying", planned_steps(job.purify), [])
        if result is not None:
            remember(job.purify, self.original.size, time.monotonic() - began)
        return result

    def _followed(
        self, steps: Iterator[Step], number: int, doing: str, planned: int, times: list[float]
    ) -> Generator[ItemStep, None, Image.Image | None]:
        """Pass the steps on, with their times; returns the result, or None where it was stopped half way."""
        left, began = self._left(number), time.monotonic()
        where = ItemStep(f"{words_of(self.planned[number][0])}: {doing}", number, self.count, 0, planned, left)
        yield where
        result = None
        for step in steps:
            times.append(time.monotonic())
            if step.stopped:
                return None
            if step.result is not None:
                result = to_images(step.result)[0]
            told = None if left is None else max(0.0, left - (times[-1] - began))
            yield replace(where, index=step.index, seconds_left=told)
        return result

    def _left(self, number: int) -> float | None:
        return expected_of(self.planned[number:], self.original.size, self._made)
