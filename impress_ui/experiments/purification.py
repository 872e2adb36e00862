"""What each purifier restores, and what it costs the picture."""

from __future__ import annotations

from functools import partial

import numpy as np

from impress_ui.experiments import purifiers
from impress_ui.experiments.charts import Chart, Lines
from impress_ui.experiments.experiment import Experiment, PictureRow, Record, Run, Sheet, Unit, lines_of, whole_model
from impress_ui.experiments.settings import PurificationSettings
from impress_ui.jobs.compare import Row, compare
from impress_ui.measures.metrics import reconstruct_picture
from impress_ui.models.autoencoder import load_autoencoder

CLEAN, SHEET_ROWS = "clean", 6


def units(settings: PurificationSettings) -> list[Unit]:
    """Each photograph at each budget; a batch of them is a group."""
    return purifiers.units_in_batches(settings, [{"budget": budget} for budget in settings.budgets])


def run(unit: Unit, run: Run[PurificationSettings]) -> list[Record]:
    """Records clean, none, every control and IMPRESS of one photograph; the paper recipes on the first ones."""
    job, name = run.settings.job, unit.key["photograph"]
    pictures, seconds = purifiers.purified_at(unit, run, load_autoencoder(job.run), run.settings.paper_photographs)
    original = run.original(name)
    spent = {CLEAN: 0.0, **seconds}
    return [
        {"purifier": row.name, **_figures(row), "seconds": spent[row.name]}
        for row in compare({CLEAN: original, **pictures}, job, original=original)
    ]


def charts(settings: PurificationSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """What a purifier restores over what it costs, a chart a budget; a line for each kind of purifier."""
    drawn = []
    for (budget,), ours in purifiers.over_everything(rows, ("budget",)).items():
        shown = sorted((row for row in ours if row["purifier"] != CLEAN), key=lambda row: row["lpips"])
        lines = lines_of(shown, "lpips", "latent_distance", lambda row: row["purifier"].split()[0])
        title = f"Latent distance against the picture's loss, budget {budget}"
        drawn.append(Lines(f"{budget}", title, "LPIPS to the original", "latent distance to the original", lines))
    return drawn


def sheets(run: Run[PurificationSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs clean, protected and purified, each beside its reconstruction."""
    settings, autoencoder = run.settings, load_autoencoder(run.settings.run)

    def pictures(budget: int, name: str) -> PictureRow:
        unit = purifiers.unit_of({"budget": budget}, name, settings)
        kept = (purifiers.kept_picture(unit, run, each) for each in ("none", purifiers.name_of(purifiers.FAST)))
        shown = [run.original(name), *kept]
        return [picture for x in shown for picture in (x, x and reconstruct_picture(x, autoencoder))]

    labels, drawn = ["x", "V(x)", "protected", "V(protected)", "purified", "V(purified)"], []
    for budget in dict.fromkeys(settings.budgets):
        drawn += run.sheet(str(budget), labels, partial(pictures, budget), width=192, rows=SHEET_ROWS)
    return drawn


def _figures(row: Row) -> Record:
    against = row.measures["against_original"]
    return {
        "latent_distance": row.measures["latent_distance"],
        "ssim_of_v": row.measures["reconstruction_ssim"],
        "ssim": against["ssim"],
        "lpips": against["lpips"],
        "psnr": against["psnr"],
        "round_trip_error": row.measures["round_trip_error"],
    }


def _facts(settings: PurificationSettings, records: list[Record]) -> Record:
    clean = {r["photograph"]: r["round_trip_error"] for r in records if r["purifier"] == CLEAN}
    return {"size": settings.run.size, "clean_round_trip_error": float(np.mean(list(clean.values())))}


PURIFICATION = Experiment(
    "purification",
    "What each purifier restores, and what it costs the picture.",
    PurificationSettings,
    units,
    run,
    lambda settings, records: purifiers.rows_of(records, ("budget",)),
    charts,
    sheets,
    checkpoints=whole_model,
    facts=_facts,
    learned=lambda settings: True,  # it is one of the controls
)
