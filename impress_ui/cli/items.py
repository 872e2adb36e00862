"""The loops over the parts of one picture's test: the purifiers of a stress test, the cells of an exploration."""

from __future__ import annotations

import time
from pathlib import Path

from impress_ui.cli.interruption import stop_on_interrupt
from impress_ui.cli.outputs import folder_for, opened
from impress_ui.cli.report import Report, log
from impress_ui.cli.runs import tell
from impress_ui.errors import UserError
from impress_ui.jobs.explore import Exploration, varies_protection
from impress_ui.jobs.saving import EXPLORE_FILES, STRESS_FILES, report_of, save_exploration, save_stress
from impress_ui.jobs.stress import StressTest
from impress_ui.measures.grid import GridCell, words_of
from impress_ui.measures.stress_rows import StressRow
from impress_ui.pictures.images import with_target
from impress_ui.pictures.masks import with_mask
from impress_ui.settings import MEASURES, JobSettings

HEADS = ("rank", "purifier", "left", "lost", "by edit", "by twin", "by V(x)", "SSIM", "seconds")


def stress_file(picture: Path, output: Path | None, job: JobSettings, *, original: Path | None) -> Report:
    """Run the purifiers of ``job.stress``; the report has a ``summary`` for people. Ctrl+C keeps what is done.

    Raises:
        UserError: the pictures' sizes differ, or the output is no folder.
    """
    began = time.monotonic()
    if output is not None:
        folder_for(output, "the table, the scatter and the pictures", *STRESS_FILES)
    protected, clean = opened(picture, job), None if original is None else opened(original, job)
    test = StressTest(protected.image, job, None if clean is None else clean.image)
    stopped = _follow(test, "purifiers")
    if output is not None:
        save_stress(test, output, stopped=stopped)
    report = report_of(test, stopped=stopped)
    seconds = round(time.monotonic() - began, 3)
    return {
        "command": "stress",
        "input": str(picture),
        "original": None if original is None else str(original),
        "output": None if output is None else str(output),
        "seconds": seconds,
        "notes": [*protected.notes, *(f"Original: {note}" for note in (clean.notes if clean else ()))],
        **report,
        "summary": f"{table_of(test)}\n{report['verdict']}",
    }


def table_of(test: StressTest) -> str:
    """The ranked rows as an aligned table, under those of the pictures as they came."""
    unbeaten = test.unbeaten
    lines = [HEADS, *(_cells("", row) for row in test.baseline)]
    for rank, row in enumerate(test.ranking, 1):
        lines.append(_cells(f"{rank}{'*' if row.name in unbeaten else ''}", row))
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    text = "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)
    reference = "original" if test.original is not None else "protected picture"
    return (
        f"{text}\nleft: what remains of the protection; lost: LPIPS to the {reference}; SSIM to the {reference}; "
        "*: nothing is better in both."
    )


def _cells(rank: str, row: StressRow) -> tuple[str, ...]:
    figures = row.against_original or row.against_protected
    return (
        rank, row.name, _share(row.protection_left), f"{row.picture_lost:.3f}", _share(row.left["edit"]),
        _share(row.left["twin"]), _share(row.left["round_trip"]), f"{figures['ssim']:.3f}",
        "-" if row.seconds is None else f"{row.seconds:.1f}",
    )  # fmt: skip


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _follow(test: StressTest | Exploration, what: str) -> bool:
    """Run a test; whether it was stopped. The cost first, then a line an item; within one only on a terminal."""
    told = stopped = False
    with stop_on_interrupt() as should_stop:
        for step in test.run(should_stop):
            stopped = step.stopped
            if step.number == 0 and step.seconds_left is not None and not told:
                items = what if step.count != 1 else what.removesuffix("s")
                log(f"About {step.seconds_left:.0f} s for {step.count} {items}.")
                told = True
            elif step.done and step.number:
                left = step.seconds_left if step.number < step.count else None
                more = "" if left is None else f", about {left:.0f} s left"
                log(f"\r{step.number}/{step.count} {step.phase}{more}")
            else:
                tell(step.phase, step)
    return stopped


def explore_file(
    picture: Path,
    output: Path | None,
    job: JobSettings,
    *,
    protected: Path | None,
    mask: Path | None,
    target: Path | None,
) -> Report:
    """Run the cells of ``job.explore`` over a picture; the report has a ``summary``. Ctrl+C keeps what is done.

    Args:
        protected: the picture protected already, where only the purification varies.

    Raises:
        UserError: it is given although the protection varies; the pictures' sizes differ; the output is no folder.
    """
    began = time.monotonic()
    if protected is not None and varies_protection(job):
        raise UserError("A picture that is protected already cannot be protected again: vary the purification alone.")
    if output is not None:
        folder_for(output, "the table, the chart and the pictures", *EXPLORE_FILES)
    given = None if protected is None else opened(protected, job).image
    shown, laid = with_mask(opened(picture, job), mask)
    shown, aim = with_target(shown, target)
    exploration = Exploration(shown.image, job, given, laid, aim)
    stopped = _follow(exploration, "cells")
    if output is not None:
        save_exploration(exploration, output, stopped=stopped)
    report = report_of(exploration, stopped=stopped)
    lines = [f"{words_of(cell.cell)}: {_figures(cell)}" for cell in exploration.grid.cells]
    return {
        "command": "explore",
        "input": str(picture),
        "output": None if output is None else str(output),
        "seconds": round(time.monotonic() - began, 3),
        "notes": list(shown.notes),
        **report,
        "summary": "\n".join([*lines, report["verdict"]]),
    }


def _figures(cell: GridCell) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {about(cell.figures[name])}" for name, about in MEASURES.items())
