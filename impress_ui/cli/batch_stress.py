"""The command line's stress test: one protected picture, its purifiers, and a folder of what came of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from impress_ui.cli.batch import opened, stop_on_interrupt
from impress_ui.errors import UserError
from impress_ui.jobs.items import ItemStep
from impress_ui.jobs.stress import StressTest
from impress_ui.jobs.stress_files import report_of, save_stress
from impress_ui.measures.stress_rows import StressRow
from impress_ui.settings import JobSettings

HEADS = ("rank", "purifier", "left", "lost", "by edit", "by twin", "by V(x)", "SSIM", "seconds")


def stress_file(picture: Path, output: Path | None, job: JobSettings, *, original: Path | None) -> dict[str, Any]:
    """Run the purifiers of ``job.stress``; the report has a ``summary`` for people. Ctrl+C keeps what is done.

    Raises:
        UserError: the pictures' sizes differ, or the output is no folder.
    """
    began = time.monotonic()
    if output is not None:
        if output.is_file() or output.suffix.lower() in (".png", ".json"):
            raise UserError(f"{output.name} must be a folder: it takes the table, the scatter and the pictures.")
        output.mkdir(parents=True, exist_ok=True)
    protected = opened(picture, job).image
    test = StressTest(protected, job, None if original is None else opened(original, job).image)
    stopped = False
    with stop_on_interrupt() as should_stop:
        for step in test.run(should_stop):
            stopped = step.stopped
            _tell(step, test)
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


def _tell(step: ItemStep, test: StressTest) -> None:
    """The cost first, then a line a purifier; within one only on a terminal."""
    if step.done and step.number == 0:
        print(f"About {test.expected:.0f} s for {step.count} purifiers.", file=sys.stderr, flush=True)
    elif step.done:
        left = f", about {step.seconds_left:.0f} s left" if step.number < step.count else ""
        print(f"\r{step.number}/{step.count} {step.phase}{left}", file=sys.stderr, flush=True)
    elif step.steps and sys.stderr.isatty():
        print(f"\r{step.phase}: step {step.index}/{step.steps} ", end="", file=sys.stderr, flush=True)
