"""What each purifier restores, and what it costs the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from impress_ui.core import photographs
from impress_ui.core.compare import Row, compare, setting_of
from impress_ui.core.contact_sheet import contact_sheet
from impress_ui.core.experiments.common import Plan, Report, errors_of, in_batches, protected_at
from impress_ui.core.models import load_autoencoder
from impress_ui.core.purify import purify
from impress_ui.settings import JobSettings, PurifySettings

# Every control over a range of its setting, so that it is also seen at its best one.
CONTROLS: tuple[PurifySettings, ...] = (
    PurifySettings(method="round-trip"),
    *(PurifySettings(method="jpeg", jpeg_quality=quality) for quality in (75, 60, 40, 25, 15)),
    *(PurifySettings(method="noise", noise_std=std) for std in (0.02, 0.05, 0.1)),
    *(PurifySettings(method="resize", resize_factor=factor) for factor in (0.75, 0.5, 0.35)),
    *(PurifySettings(method="total-variation", denoise_weight=weight) for weight in (0.03, 0.05, 0.08)),
    *(PurifySettings(method="non-local-means", denoise_weight=weight) for weight in (0.02, 0.03, 0.05, 0.08)),
)
FAST = PurifySettings()
PAPER = (PurifySettings(recipe="paper"), PurifySettings(recipe="paper-editing"))
COLUMNS = ("latent_distance", "ssim_of_v", "ssim", "lpips", "psnr", "round_trip_error")
SHEET_ROWS = 6

Judged = dict[str, Row]


def purification(plan: Plan) -> Report:
    """Rows clean, none, every control and IMPRESS at budgets 8 and 16; the paper recipes on a stated subset."""
    job, seed = plan.job, plan.job.run.seed
    autoencoder = load_autoencoder(job.run)
    clean = photographs.squares(plan.split, job.run.size, plan.photographs)
    names = photographs.names_of(plan.split)
    papers = min(plan.paper_photographs, len(clean))
    rows: list[Report] = []
    records: list[Report] = []
    for budget in plan.budgets:
        protected, _ = protected_at(budget, clean, plan, autoencoder)
        results, seconds = {"clean": clean, "none": protected}, {"clean": 0.0, "none": 0.0}
        for settings, subset in [*((p, len(clean)) for p in (*CONTROLS, FAST)), *((p, papers) for p in PAPER)]:
            if not subset:
                continue
            plan.log(f"budget {budget}: {_name(settings)}, {subset} photographs")
            results[_name(settings)], spent = in_batches(
                protected[:subset], lambda x, s=settings: purify(x, s, autoencoder, seed=seed), autoencoder
            )
            seconds[_name(settings)] = spent / subset
        plan.log(f"budget {budget}: measuring")
        judged = _judge(clean, results, job)
        for photo, by_name in zip(names, judged, strict=False):
            records += [
                {"budget": budget, "photograph": photo, "purifier": name, **_figures(row)}
                for name, row in by_name.items()
            ]
        rows += _rows(budget, "all", judged, seconds)
        if 0 < papers < len(clean):
            rows += _rows(budget, f"first {papers}", judged[:papers], seconds)
        _sheet(plan.output / f"purification_{budget}.png", judged)
    error = float(np.mean(errors_of(clean, autoencoder)))
    return {"size": job.run.size, "clean_round_trip_error": error, "rows": rows, "per_photograph": records}


def _name(settings: PurifySettings) -> str:
    return f"{settings.method} {setting_of(settings)}"


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


def _rows(budget: int, subset: str, judged: Sequence[Judged], seconds: dict[str, float]) -> list[Report]:
    """Means with standard errors of each purifier that ran on all of the judged photographs."""
    rows = []
    for name in seconds:
        if not all(name in photo for photo in judged):
            continue
        figures = [_figures(photo[name]) for photo in judged]
        row: Report = {"budget": budget, "photographs": f"{subset} ({len(judged)})", "purifier": name}
        for column in COLUMNS:
            values = np.array([figure[column] for figure in figures if figure[column] is not None], dtype=float)
            row[column] = float(values.mean()) if len(values) else None
            row[f"{column}_se"] = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        rows.append({**row, "seconds": round(seconds[name], 3)})
    return rows


def _sheet(path: Path, judged: Sequence[Judged]) -> None:
    shown = ("clean", "none", _name(FAST))
    rows = [[picture for name in shown for picture in (p[name].image, p[name].reconstruction)] for p in judged]
    contact_sheet(path, ["x", "V(x)", "protected", "V(protected)", "purified", "V(purified)"], rows[:SHEET_ROWS])
