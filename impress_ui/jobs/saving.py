"""What jobs made, as files with what makes them again: the page, the API and the command line save alike."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.charts.explore import chart
from impress_ui.charts.stress import scatter
from impress_ui.errors import UserError
from impress_ui.jobs.explore import Exploration, ExploredCell
from impress_ui.jobs.stress import StressTest
from impress_ui.jobs.stress_verdict import verdict
from impress_ui.jobs.workflow import describe_result, edit_measures
from impress_ui.measures.grid import words_of
from impress_ui.measures.stress_rows import StressRow
from impress_ui.methods.optimise import Step
from impress_ui.methods.universal import KIND, to_picture
from impress_ui.pictures.contact_sheet import captioned_grid
from impress_ui.pictures.images import Picture, open_picture, save_png
from impress_ui.pictures.sizes import centre_square
from impress_ui.settings import JobSettings, RunSettings

Measures = dict[str, Any] | None
# What a test writes besides its pictures; the first of them says whose the folder is.
STRESS_FILES = ("stress.json", "stress.csv", "scatter.svg", "sheet.png", "edits.png")
EXPLORE_FILES = ("explore.json", "explore.csv", "chart.svg", "sheet.png")
STRESS_COLUMNS = (
    "rank", "name", "protection_left", "picture_lost", "left_latent", "left_edit", "left_twin",
    "left_round_trip", "latent_distance", "edit_distance", "twin_distance", "round_trip_error",
    "lpips_protected", "ssim_protected", "lpips_original",
    "ssim_original", "seconds",
)  # fmt: skip


# --- pictures ----------------------------------------------------------------------------------------------


def as_saved(image: Image.Image, picture: Picture, job: JobSettings) -> Image.Image:
    """What is seen of the file that ``save_result`` writes: less of a change where the picture is transparent."""
    return picture.beside.seen(image) if picture.beside and job.run.whole != "no" else image


def save_result(
    image: Image.Image, path: Path, described: Mapping[str, Any], picture: Picture, job: JobSettings
) -> Path:
    """Write what was made of a picture; at the picture's own size with its transparency, EXIF data and resolution."""
    return save_png(image, path, dict(described), picture.beside if job.run.whole != "no" else None)


# --- edits and generations ---------------------------------------------------------------------------------


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
    measured = {} if reference is None else edit_measures(edits, reference, job)
    for name, image in edits.items():
        described = describe_result(
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
        paths[seed] = save_png(image, path_of(seed), describe_result("generated", own, **facts))
    return paths


# --- universal perturbations -------------------------------------------------------------------------------


def squares_of(files: Iterable[Path | str], side: int, left_out: dict[str, str] | None = None) -> list[Image.Image]:
    """The pictures' middle squares at a side, in pixels.

    Args:
        left_out: takes the name of each that cannot be opened, with why; without it the first of them is raised.

    Raises:
        UserError: there is none, or one cannot be opened.
    """
    images = []
    for file in files:
        try:
            images.append(centre_square(open_picture(file).image, side))
        except UserError as error:
            if left_out is None:
                raise
            left_out[Path(file).name] = str(error)
    if not images:
        raise UserError("There are no pictures to learn from: give some.")
    return images


def save_perturbation(step: Step, path: Path, job: JobSettings, **facts: Any) -> Path:
    """Write the perturbation that a last step holds, with what made it."""
    assert step.result is not None
    return save_png(to_picture(step.result), path, describe_result(KIND, job, **facts))


# --- tests of one picture: the stress test and the exploration ---------------------------------------------


def report_of(test: StressTest | Exploration, *, stopped: bool) -> dict[str, Any]:
    """What it says, the table and the settings, as plain data."""
    if isinstance(test, StressTest):
        said = verdict(test, stopped=stopped)
    else:
        said = test.grid.verdict(test.job.explore.measure)
    return {"verdict": said, "stopped": stopped, **test.report(), "settings": test.job.model_dump(mode="json")}


def save_test(test: StressTest | Exploration, folder: Path, *, stopped: bool) -> None:
    """Write everything that a test of one picture has made into a folder."""
    if isinstance(test, StressTest):
        save_stress(test, folder, stopped=stopped)
    else:
        save_exploration(test, folder, stopped=stopped)


def save_stress(test: StressTest, folder: Path, *, stopped: bool) -> dict[str, Path]:
    """Write stress.json, stress.csv, scatter.svg, sheet.png, edits.png where there are any, and a PNG a row.

    Returns:
        The rows' PNGs by name.
    """
    _write_json(folder / "stress.json", report_of(test, stopped=stopped))
    lines = [_line(None, row) for row in test.baseline]
    _write_csv(
        folder / "stress.csv", STRESS_COLUMNS, [*lines, *(_line(rank, row) for rank, row in enumerate(test.ranking, 1))]
    )
    (folder / "scatter.svg").write_text(scatter(test, alone=True) + "\n", encoding="utf-8")
    rows = [*test.baseline, *test.ranking]
    if rows:
        captioned_grid(folder / "sheet.png", {row.name: row.image for row in rows})
    if rows and test.job.stress.edits:
        captioned_grid(folder / "edits.png", {row.name: row.edited for row in rows if row.edited is not None})
    return {row.name: save_row(row, folder, test.job) for row in rows}


def save_row(row: StressRow, folder: Path, job: JobSettings) -> Path:
    """Write a row's picture with its figures, and its edit beside it; what is there already is left."""
    path = folder / f"{_slug(row.name)}.png"
    if not path.exists():
        save_png(row.image, path, describe_result("stress", job, row=row.as_dict()))
        if row.edited is not None:
            described = describe_result("edit", job, picture=row.name)
            save_png(row.edited, folder / f"edit-of-{_slug(row.name)}.png", described)
    return path


def save_exploration(exploration: Exploration, folder: Path, *, stopped: bool) -> None:
    """Write explore.json, explore.csv, chart.svg, sheet.png, and each cell's purified and protected PNG."""
    _write_json(folder / "explore.json", report_of(exploration, stopped=stopped))
    rows = [done.as_dict() for done in exploration.grid.cells]
    names = list(rows[0]) if rows else [axis.name for axis in exploration.grid.axes]
    _write_csv(folder / "explore.csv", names, [list(row.values()) for row in rows])
    drawn = chart(exploration.grid, exploration.job.explore.measure, alone=True)
    (folder / "chart.svg").write_text(drawn + "\n", encoding="utf-8")
    for made in exploration.cells:
        save_cell(made, folder)
    if exploration.cells:
        columns = len(exploration.grid.axes[-1].values)
        named = {words_of(made.done.cell): made.purified for made in exploration.cells}
        captioned_grid(folder / "sheet.png", named, columns=columns)


def save_cell(made: ExploredCell, folder: Path) -> Path:
    """Write a cell's pictures, where they are not yet there; returns the purified one's path."""
    stem = "-".join(f"{name.partition('.')[2]}-{value:g}" for name, value in made.done.cell.items())
    path = folder / f"{stem}.png"
    if not path.exists():
        about = {"cell": made.done.cell, "figures": made.done.figures}
        save_png(made.purified, path, describe_result("purified", made.job, **about))
        described = describe_result("protected", made.job, **about)
        save_png(made.protected, folder / f"{stem}-protected.png", described)
    return path


def _line(rank: int | None, row: StressRow) -> list[Any]:
    original = row.against_original or {}
    return [
        rank, row.name, row.protection_left, row.picture_lost, row.left["latent"], row.left["edit"],
        row.left["twin"], row.left["round_trip"], row.values["latent"], row.values["edit"], row.values["twin"],
        row.values["round_trip"],
        row.against_protected["lpips"], row.against_protected["ssim"], original.get("lpips"), original.get("ssim"),
        row.seconds,
    ]  # fmt: skip


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")


def _write_json(path: Path, report: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)
