"""What each purifier restores, and what it costs the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from impress_ui.core import photographs
from impress_ui.core.compare import Row, compare
from impress_ui.core.contact_sheet import contact_sheet
from impress_ui.core.experiments.common import BUDGETS, Plan, Report, errors_of, protected_at
from impress_ui.core.experiments.purifiers import FAST, mean_rows, name_of, purify_all
from impress_ui.core.models import load_autoencoder
from impress_ui.settings import JobSettings

SHEET_ROWS = 6

Judged = dict[str, Row]


def purification(plan: Plan) -> Report:
    """Rows clean, none, every control and IMPRESS at budgets 8 and 16; the paper recipes on a stated subset."""
    job = plan.job
    autoencoder = load_autoencoder(job.run)
    clean = photographs.squares(plan.split, job.run.size, plan.photographs)
    names = photographs.names_of(plan.split)
    rows: list[Report] = []
    records: list[Report] = []
    for budget in plan.budgets or BUDGETS:
        protected, _ = protected_at(budget, clean, plan, autoencoder)
        results, seconds = purify_all(protected, plan, autoencoder, f"budget {budget}")
        plan.log(f"budget {budget}: measuring")
        judged = _judge(clean, {"clean": clean, **results}, job)
        figures = [{name: _figures(row) for name, row in photo.items()} for photo in judged]
        for photo, by_name in zip(names, figures, strict=False):
            records += [
                {"budget": budget, "photograph": photo, "purifier": name, **row} for name, row in by_name.items()
            ]
        rows += mean_rows(figures, {"clean": 0.0, **seconds}, {"budget": budget}, plan.paper_photographs)
        _sheet(plan.output / f"purification_{budget}.png", judged)
    error = float(np.mean(errors_of(clean, autoencoder)))
    return {"size": job.run.size, "clean_round_trip_error": error, "rows": rows, "per_photograph": records}


def _judge(clean: list[Image.Image], results: dict[str, list[Image.Image]], job: JobSettings) -> list[Judged]:
    """For each photograph, the row of every purifier that ran on it."""
    judged = []
    for photo, original in enumerate(clean):
        pictures = {name: images[photo] for name, images in results.items() if photo < len(images)}
        judged.append({row.name: row for row in compare(pictures, job, original=original)})
    return judged


def _figures(row: Row) -> Report:
    against = row.measures["against_original"]
    return {
        "latent_distance": row.measures["latent_distance"],
        "ssim_of_v": row.measures["reconstruction_ssim"],
        "ssim": against["ssim"],
        "lpips": against["lpips"],
        "psnr": against["psnr"],
        "round_trip_error": row.measures["round_trip_error"],
    }


def _sheet(path: Path, judged: Sequence[Judged]) -> None:
    shown = ("clean", "none", name_of(FAST))
    rows = [[picture for name in shown for picture in (p[name].image, p[name].reconstruction)] for p in judged]
    contact_sheet(path, ["x", "V(x)", "protected", "V(protected)", "purified", "V(purified)"], rows[:SHEET_ROWS])
