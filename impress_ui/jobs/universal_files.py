"""Universal perturbations as files, for every door: the pictures that one is learnt from, and the file of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs.workflow import describe_result
from impress_ui.methods.optimise import Step
from impress_ui.methods.universal import KIND, to_picture
from impress_ui.pictures.images import centre_square, open_picture, save_png
from impress_ui.settings import JobSettings


def squares_of(files: Iterable[Path | str], side: int) -> list[Image.Image]:
    """The pictures' middle squares at a side, in pixels.

    Raises:
        UserError: there is none, or one cannot be opened.
    """
    images = [centre_square(open_picture(file).image, side) for file in files]
    if not images:
        raise UserError("There are no pictures to learn from: give some.")
    return images


def save_perturbation(step: Step, path: Path, job: JobSettings, **facts: Any) -> Path:
    """Write the perturbation that a last step holds, with what made it."""
    assert step.result is not None
    return save_png(to_picture(step.result), path, describe_result(KIND, job, **facts))
