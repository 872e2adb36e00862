"""An exploration as files: table, chart, contact sheet and every cell's pictures; the page and the API save alike."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from impress_ui.charts.explore import chart
from impress_ui.jobs import workflow
from impress_ui.jobs.explore import Exploration, ExploredCell
from impress_ui.measures.grid import Grid, words_of
from impress_ui.pictures.contact_sheet import captioned_grid
from impress_ui.pictures.images import save_png


def report_of(exploration: Exploration, *, stopped: bool) -> dict[str, Any]:
    """The cells, what they say by the chosen measure, and the settings, as plain data."""
    told = {"verdict": exploration.grid.verdict(exploration.job.explore.measure), "stopped": stopped}
    return {**told, **exploration.report(), "settings": exploration.job.model_dump(mode="json")}


def save_exploration(exploration: Exploration, folder: Path, *, stopped: bool) -> None:
    """Write explore.json, explore.csv, chart.svg, sheet.png, and each cell's purified and protected PNG."""
    report = report_of(exploration, stopped=stopped)
    (folder / "explore.json").write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    save_table(exploration.grid, folder / "explore.csv")
    drawn = chart(exploration.grid, exploration.job.explore.measure, alone=True)
    (folder / "chart.svg").write_text(drawn + "\n", encoding="utf-8")
    for made in exploration.cells:
        save_cell(made, folder)
    if exploration.cells:
        columns = len(exploration.grid.axes[-1].values)
        named = {words_of(made.done.cell): made.purified for made in exploration.cells}
        captioned_grid(folder / "sheet.png", named, columns=columns)


def save_table(grid: Grid, path: Path) -> Path:
    """The cells as CSV: the varied settings, then the figures."""
    rows = [done.as_dict() for done in grid.cells]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]) if rows else [axis.name for axis in grid.axes])
        writer.writeheader()
        writer.writerows(rows)
    return path


def save_cell(made: ExploredCell, folder: Path) -> Path:
    """Write a cell's pictures, where they are not yet there; returns the purified one's path."""
    stem = "-".join(f"{name.partition('.')[2]}-{value:g}" for name, value in made.done.cell.items())
    path = folder / f"{stem}.png"
    if not path.exists():
        about = {"cell": made.done.cell, "figures": made.done.figures}
        save_png(made.purified, path, workflow.describe_result("purified", made.job, **about))
        described = workflow.describe_result("protected", made.job, **about)
        save_png(made.protected, folder / f"{stem}-protected.png", described)
    return path
