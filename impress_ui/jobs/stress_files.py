"""A stress test as files: pictures, table, scatter and verdict; the page, the API and the command line save alike."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from impress_ui.charts.stress import scatter
from impress_ui.jobs import workflow
from impress_ui.jobs.stress import StressTest
from impress_ui.jobs.stress_verdict import verdict
from impress_ui.measures.stress_rows import StressRow
from impress_ui.pictures.contact_sheet import captioned_grid
from impress_ui.pictures.images import save_png
from impress_ui.settings import JobSettings

COLUMNS = (
    "rank", "name", "protection_left", "picture_lost", "left_latent", "left_edit", "left_twin",
    "left_round_trip", "latent_distance", "edit_distance", "twin_distance", "round_trip_error",
    "lpips_protected", "ssim_protected", "lpips_original",
    "ssim_original", "seconds",
)  # fmt: skip


def report_of(test: StressTest, *, stopped: bool) -> dict[str, Any]:
    """The table, the verdict and the settings, as plain data."""
    told = {"verdict": verdict(test, stopped=stopped), "stopped": stopped}
    return {**told, **test.report(), "settings": test.job.model_dump(mode="json")}


def save_stress(test: StressTest, folder: Path, *, stopped: bool) -> dict[str, Path]:
    """Write stress.json, stress.csv, scatter.svg, sheet.png, edits.png where there are any, and a PNG a row.

    Returns:
        The rows' PNGs by name.
    """
    report = report_of(test, stopped=stopped)
    (folder / "stress.json").write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    with (folder / "stress.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(_line(None, row) for row in test.baseline)
        writer.writerows(_line(rank, row) for rank, row in enumerate(test.ranking, 1))
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
        save_png(row.image, path, workflow.describe_result("stress", job, row=row.as_dict()))
        if row.edited is not None:
            described = workflow.describe_result("edit", job, picture=row.name)
            save_png(row.edited, folder / f"edit-of-{_slug(row.name)}.png", described)
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
