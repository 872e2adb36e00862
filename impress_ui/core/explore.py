"""An exploration: one or two settings varied over one picture, every cell protected, purified and measured.

    exploration = Exploration(original, job)
    for step in exploration.run():
        ...                                   # step.phase, step.seconds_left
    exploration.cells                         # what is done, whether stopped or not

Cells that share their protection share the protected picture. ``core/grid.py`` says what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image
from pydantic import ValidationError

from impress_ui.core.costs import (
    expected_protection,
    expected_seconds,
    measure_pace,
    measure_protection_pace,
    remember,
    remember_protection,
)
from impress_ui.core.errors import UserError
from impress_ui.core.grid import Figures, figures_of
from impress_ui.core.images import to_images
from impress_ui.core.models import load_autoencoder
from impress_ui.core.optimise import ShouldStop, Step, never
from impress_ui.core.protect import check_budget
from impress_ui.core.purify import needs_model, planned_steps
from impress_ui.core.workflow import protect_picture, purify_picture
from impress_ui.settings import MEASURES, JobSettings, ProtectSettings, sentence_of
from impress_ui.settings.sweep import Axis, Cell, cells_of, label_of, settings_at

Place = tuple[Any, ...]  # a cell's values in the order of the axes


# What the two ends are to whom: the purifier's ends and the protector's.
ENDS = {
    "left": ("best for the purifier,", "best for the protection,"),
    "strength": ("weakest,", "strongest,"),
    "cost": ("least,", "most,"),
    "lpips": ("best,", "worst,"),
    "ssim": ("best,", "worst,"),
    "psnr": ("best,", "worst,"),
    "round_trip": ("least seen,", "most seen,"),
}


@dataclass(frozen=True)
class ExploreStep:
    """Where an exploration is: cell ``number`` of ``count``, at step ``index`` of the ``steps`` of its phase.

    ``done`` says that a cell was added; ``seconds_left`` is None until the pace is known.
    """

    phase: str
    number: int
    count: int
    index: int = 0
    steps: int = 0
    seconds_left: float | None = None
    done: bool = False
    stopped: bool = False


@dataclass(frozen=True)
class ExploredCell:
    """One cell: the settings that it differs in, its pictures and its figures."""

    cell: Cell
    job: JobSettings
    protected: Image.Image
    purified: Image.Image
    figures: Figures
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The cell without its pictures, as plain data."""
        return {**self.cell, **self.figures, "seconds": round(self.seconds, 3)}


@dataclass
class Exploration:
    """A picture over the axes of ``job.explore``.

    Args:
        protected: the same picture protected already, for axes of the purification alone; None to protect it here.
        mask, target: as ``workflow.protect_picture`` takes them.

    Raises:
        UserError: a range that the setting does not have, a setting that the chosen method does not have, a budget
            that needs a mask, or more of the checkpoint than there is.
    """

    original: Image.Image
    job: JobSettings
    protected: Image.Image | None = None
    mask: Image.Image | None = None
    target: Image.Image | None = None
    cells: list[ExploredCell] = field(default_factory=list)
    expected: float | None = None

    def __post_init__(self) -> None:
        try:
            self.axes: tuple[Axis, ...] = self.job.explore.axes()
            self.planned = [(cell, settings_at(self.job, cell)) for cell in cells_of(self.axes)]
        except ValidationError as error:
            raise UserError(sentence_of(error)) from None
        except ValueError as error:
            raise UserError(f"This cannot be explored: {error}.") from None
        for _, job in self.planned:
            check_budget(job.protect, self.mask is not None)
        self._made: dict[ProtectSettings, Image.Image] = {}
        if self.protected is not None and not self.varies_protection:
            self._made[self.planned[0][1].protect] = self.protected

    @property
    def varies_protection(self) -> bool:
        return any(axis.name.startswith("protect.") for axis in self.axes)

    @property
    def count(self) -> int:
        return len(self.planned)

    def run(self, should_stop: ShouldStop = never) -> Iterator[ExploreStep]:
        """Measure the pace, tell the cost, then one cell after the other; what is done is kept when stopped."""
        yield ExploreStep("Measuring the pace", 0, self.count)
        autoencoder = load_autoencoder(self.job.run)
        if not self._made:
            measure_protection_pace(self.planned[0][1].protect, self.original, autoencoder)
        purifiers = [job.purify for _, job in self.planned]
        if not any(needs_model(purifier) for purifier in purifiers):
            measure_pace(purifiers, self.original, autoencoder, None, should_stop)
        self.expected = self._left(0)
        yield ExploreStep("Measured the pace", 0, self.count, seconds_left=self.expected)
        for number, (cell, job) in enumerate(self.planned):
            if should_stop():
                yield ExploreStep("Stopped", number, self.count, stopped=True)
                return
            began = time.monotonic()
            where = ExploreStep(words_of(cell), number, self.count)
            if job.protect not in self._made:
                times: list[float] = []
                steps = protect_picture(self.original, job, mask=self.mask, target=self.target, should_stop=should_stop)
                protected = yield from self._followed(steps, where, "protecting", number, job.protect.steps, times)
                if protected is None:
                    return
                remember_protection(job.protect, self.original.size, times[-1] - times[0])
                self._made[job.protect] = protected
            turn = time.monotonic()
            steps = purify_picture(self._made[job.protect], job, mask=self.mask, should_stop=should_stop)
            planned = planned_steps(job.purify)
            purified = yield from self._followed(steps, where, "purifying", number, planned, [])
            if purified is None:
                return
            remember(job.purify, self.original.size, time.monotonic() - turn)
            protected = self._made[job.protect]
            figures = figures_of(self.original, protected, purified, autoencoder)
            self.cells.append(ExploredCell(cell, job, protected, purified, figures, time.monotonic() - began))
            left = self._left(number + 1)
            yield replace(where, number=number + 1, seconds_left=left, done=True)

    def _followed(
        self, steps: Iterator[Step], where: ExploreStep, doing: str, number: int, planned: int, times: list[float]
    ) -> Iterator[ExploreStep]:
        """Pass the steps on; returns the result, or None where it was stopped and is not the cell's."""
        left = self._left(number, purify_only=doing == "purifying")
        phase, began = f"{where.phase}: {doing}", time.monotonic()
        yield replace(where, phase=phase, steps=planned, seconds_left=left)
        result = None
        for step in steps:
            times.append(time.monotonic())
            spent = time.monotonic() - began
            told = None if left is None else max(0.0, left - spent)
            if step.stopped:
                yield replace(where, phase="Stopped", stopped=True)
                return None
            if step.result is not None:
                result = to_images(step.result)[0]
            yield replace(where, phase=phase, index=step.index, steps=planned, seconds_left=told)
        return result

    def _left(self, number: int, purify_only: bool = False) -> float | None:
        """Seconds that the cells from ``number`` on are going to take; ``purify_only``: that one is protected."""
        size, seconds = self.original.size, 0.0
        made = set(self._made)
        for at, (_, job) in enumerate(self.planned[number:]):
            parts = [expected_seconds(job.purify, size)]
            if job.protect not in made and not (purify_only and at == 0):
                parts.append(expected_protection(job.protect, size))
            made.add(job.protect)
            if None in parts:
                return None
            seconds += sum(part or 0.0 for part in parts)
        return seconds

    def at(self, place: Place) -> ExploredCell | None:
        """The cell of those values, if it is done."""
        return next((done for done in self.cells if tuple(done.cell.values()) == place), None)

    def ends(self, measure: str) -> tuple[ExploredCell, ExploredCell] | None:
        """(nearest to the original, farthest) by a measure; None where no cell has it."""
        known = [(done.figures[measure], number) for number, done in enumerate(self.cells)]
        ordered = sorted((value, number) for value, number in known if value is not None)
        if not ordered:
            return None
        low, high = self.cells[ordered[0][1]], self.cells[ordered[-1][1]]
        return (low, high) if MEASURES[measure].less_is_nearer else (high, low)

    def verdict(self, measure: str) -> str:
        """The two ends of a measure, in words."""
        about, ends = MEASURES[measure], self.ends(measure)
        if ends is None:
            return f"{about.label}: {'it is nowhere defined' if self.cells else 'nothing is measured yet'}."
        values = [done.figures[measure] for done in ends]
        if values[0] == values[1]:
            return f"{about.label}: {about(values[0])} in every cell."
        told = [
            f"{word} {about(value)} at {words_of(done.cell)}"
            for word, value, done in zip(ENDS[measure], values, ends, strict=True)
        ]
        return f"{about.label}: {'; '.join(told)}."

    def report(self) -> dict[str, Any]:
        """The whole exploration as plain data."""
        return {
            "axes": {axis.name: list(axis.values) for axis in self.axes},
            "cells": [done.as_dict() for done in self.cells],
            "planned": self.count,
            "expected_seconds": self.expected,
            "verdicts": {name: self.verdict(name) for name in MEASURES},
        }


def words_of(cell: Cell) -> str:
    """A cell in words: 'Budget ε 8, Trust radius 24'."""
    return ", ".join(f"{label_of(name)} {value:g}" for name, value in cell.items())
