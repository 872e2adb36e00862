"""Saving what a sampler made, with what makes it again: the page, the API and the command line do it alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.pictures.images import save_png
from impress_ui.settings import JobSettings, RunSettings

Measures = dict[str, Any] | None


def save_edits(
    edits: Mapping[str, Image.Image],
    paths: Mapping[str, Path],
    job: JobSettings,
    *,
    reference: str | None,
    **facts: Any,
) -> dict[str, Measures]:
    """Write the edits, each by its picture's name, and measure them against the edit of ``reference``.

    Returns:
        Measures by name; None for the reference itself, and for all where there is no reference.
    """
    measured = {} if reference is None else workflow.edit_measures(edits, reference, job)
    for name, image in edits.items():
        described = workflow.describe_result(
            "edit", job, picture=name, reference=reference, against_clean_edit=measured.get(name), **facts
        )
        save_png(image, paths[name], described)
    return {name: measured.get(name) for name in edits}


def pasted(job: JobSettings) -> bool:
    """Whether an edit keeps its picture's own pixels outside the mask."""
    return job.edit.mode == "inpaint" and job.edit.paste_back


def check_seeds(job: JobSettings) -> None:
    """Refuse a seed so high that the last picture's own would not be a valid one.

    Raises:
        UserError: choose a smaller one.
    """
    highest = RunSettings.describe("seed")["maximum"]
    if job.run.seed + job.generate.count - 1 > highest:
        raise UserError(f"The seed is too high for {job.generate.count} pictures: the last one's may be {highest}.")


def save_generated(
    images: Sequence[Image.Image], path_of: Callable[[int], Path], job: JobSettings, **facts: Any
) -> dict[int, Path]:
    """Write generated pictures; each file's settings make that very picture again. Returns their paths by seed."""
    paths = {}
    for number, image in enumerate(images):
        seed = job.run.seed + number
        own = job.updated(run={"seed": seed}, generate={"count": 1})
        paths[seed] = save_png(image, path_of(seed), workflow.describe_result("generated", own, **facts))
    return paths
