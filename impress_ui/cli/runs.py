"""How runs go, for every command: the loop over inputs, how far one is, how it is stopped, and what is reported."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from impress_ui.cli.interruption import interruption, stop_on_interrupt
from impress_ui.cli.report import Report
from impress_ui.errors import UserError
from impress_ui.methods.optimise import LossHistory
from impress_ui.models.shortage import is_out_of_memory, release, what_would_fit
from impress_ui.pictures.images import Picture
from impress_ui.settings import JobSettings


def over_inputs(
    inputs: Sequence[tuple[Path, ...]],
    work: Callable[..., Report],
    *,
    job: JobSettings | None = None,
    several: bool,
    names: Sequence[str] = ("input",),
) -> list[Report]:
    """A row for each input, which ``work`` makes of its paths and of the question whether to stop.

    Of several, one that cannot be done is named in its row, and the rest are done all the same; a single one's mistake
    is raised. Ctrl+C ends the loop after the row.

    Args:
        job: for the sentence about what would fit into memory.
        names: of the paths, in the row of one that failed.
    """
    rows: list[Report] = []
    with stop_on_interrupt() as should_stop:
        for paths in inputs:
            try:
                rows.append(work(*paths, should_stop))
            except (UserError, MemoryError, RuntimeError) as caught:
                error: Exception = caught
                if is_out_of_memory(caught):
                    release(caught)
                    error = UserError(what_would_fit(job))
                if not several or not isinstance(error, UserError):
                    raise error from None
                given = {name: str(path) for name, path in zip(names, paths, strict=False)}
                rows.append({**given, "error": str(error), "summary": f"{paths[0].name}: {error}"})
            if should_stop():
                break
        if should_stop() and len(rows) < len(inputs):
            interruption.left = f"{len(inputs) - len(rows)} of {len(inputs)} pictures not begun"
    return rows


def report_of(command: str, job: JobSettings, began: float, **facts: Any) -> Report:
    """What a command prints of one job over all its inputs."""
    seconds = round(time.monotonic() - began, 3)
    return {"command": command, "settings": job.model_dump(mode="json"), **facts, "seconds": seconds}


def row_of(path: Path | str, target: Path, picture: Picture, measures: Report | None, summary: str) -> Report:
    """What is reported of one picture and of the file that was made of it."""
    return {
        "input": str(path),
        "output": str(target),
        "notes": list(picture.notes),
        "measures": measures,
        "summary": summary,
    }


def in_words(measures: Mapping[str, Any], names: Iterable[str]) -> str:
    """The named measures in one line, those that there are."""
    return ", ".join(
        f"{name.replace('_', ' ')} {measures[name]:.4f}" for name in names if measures.get(name) is not None
    )


def follow(what: str, steps: Iterable[Any], history: LossHistory | None = None) -> Any:
    """The last step of a run, or None of an empty one; a line on a terminal tells how far it is."""
    last = None
    for last in steps:
        if history is not None:
            history.add(last)
        tell(what, last, ended=last.index >= last.steps or last.stopped)
    if last is not None and last.stopped:
        interruption.at = f"step {last.index} of {last.steps}"
    return last


def tell(what: str, step: Any, *, ended: bool = False) -> None:
    """How far a run is, on a terminal alone: always on one line, which ends with the run."""
    if sys.stderr.isatty() and step.steps:
        print(f"\r{what}: step {step.index}/{step.steps} ", end="\n" if ended else "", file=sys.stderr, flush=True)
