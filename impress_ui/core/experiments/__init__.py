"""The tables of the README: measured on held-out photographs, with fixed seeds, by one command each.

    python -m impress_ui experiment purification --size 128
    python -m impress_ui experiment editing --size 128 --budget 16
    python -m impress_ui experiment style --artists 2
    python -m impress_ui experiment detector
    python -m impress_ui experiment autoencoder
    python -m impress_ui experiment classifier

Each gives a report as plain data (``rows`` are dictionaries of one shape) and writes it as JSON and CSV.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any, get_args

from impress_ui.core.errors import UserError
from impress_ui.core.experiments.autoencoder import autoencoder
from impress_ui.core.experiments.classifier import classifier
from impress_ui.core.experiments.common import Plan, Report
from impress_ui.core.experiments.detector import detector
from impress_ui.core.experiments.editing import editing
from impress_ui.core.experiments.purification import purification
from impress_ui.core.experiments.style import style
from impress_ui.core.models import load_autoencoder
from impress_ui.core.photographs import Split

EXPERIMENTS: dict[str, Callable[[Plan], Report]] = {
    "purification": purification,
    "editing": editing,
    "style": style,
    "detector": detector,
    "autoencoder": autoencoder,
    "classifier": classifier,
}


def run_experiment(name: str, plan: Plan) -> Report:
    """Run an experiment by name and write ``name.json`` and ``name.csv`` into the plan's output folder.

    Raises:
        UserError: no such experiment or split.
    """
    if name not in EXPERIMENTS:
        raise UserError(f"There is no experiment {name}; choose one of {', '.join(EXPERIMENTS)}.")
    if plan.split not in get_args(Split):
        raise UserError(f"There is no split {plan.split}; choose one of {', '.join(get_args(Split))}.")
    plan.output.mkdir(parents=True, exist_ok=True)
    report = {
        "experiment": name,
        "split": plan.split,
        "seed": plan.job.run.seed,
        "checkpoint": load_autoencoder(plan.job.run).describe(),
        **EXPERIMENTS[name](plan),
    }
    (plan.output / f"{name}.json").write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    # The finest data there is goes into the CSV: every photograph's figures, where they were kept.
    records = report.get("per_photograph", report["rows"])
    with (plan.output / f"{name}.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return report


def as_text(report: Report) -> str:
    """The report's rows as an aligned table under a line that says what was run."""
    facts = {key: value for key, value in report.items() if not isinstance(value, (list, dict))}
    names = list(report["rows"][0])
    cells = [names, *([_cell(row[name]) for name in names] for row in report["rows"])]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([", ".join(f"{key} {_cell(value)}" for key, value in facts.items()), *lines])


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
