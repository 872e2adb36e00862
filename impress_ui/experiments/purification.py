"""What each purifier restores, and what it costs the picture."""

from __future__ import annotations

import numpy as np

from impress_ui.experiments.charts import Chart, Lines
from impress_ui.experiments.experiment import WHOLE_MODEL, Experiment, Record, Run, Sheet, Unit, lines_of
from impress_ui.experiments.purifiers import (
    FAST,
    batch_pictures,
    name_of,
    purified_at,
    rows_of,
    units_in_batches,
)
from impress_ui.experiments.settings import PurificationSettings
from impress_ui.jobs.compare import Row, compare
from impress_ui.measures.metrics import reconstruct_picture
from impress_ui.methods.batches import BATCH
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures import photographs

CLEAN, SHEET_ROWS = "clean", 6


def units(settings: PurificationSettings) -> list[Unit]:
    """Each photograph at each budget; a batch of them is a group."""
    return units_in_batches(settings, [{"budget": budget} for budget in settings.budgets])


def run(unit: Unit, run: Run[PurificationSettings]) -> list[Record]:
    """Records clean, none, every control and IMPRESS of one photograph; the paper recipes on the first ones."""
    job, name = run.settings.job, unit.key["photograph"]
    pictures, seconds = purified_at(unit, run, load_autoencoder(job.run), run.settings.paper_photographs)
    original = photographs.square(name, run.settings.split, job.run.size)
    spent = {CLEAN: 0.0, **seconds}
    return [
        {"purifier": row.name, **_figures(row), "seconds": spent[row.name]}
        for row in compare({CLEAN: original, **pictures}, job, original=original)
    ]


def charts(settings: PurificationSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """What a purifier restores over what it costs, a chart a budget; a line for each kind of purifier."""
    drawn = []
    rows = [row for row in rows if row["photographs"].startswith("all") and row["purifier"] != CLEAN]
    for budget in dict.fromkeys(row["budget"] for row in rows):
        ours = [row for row in rows if row["budget"] == budget]
        lines = lines_of(sorted(ours, key=lambda r: r["lpips"]), "lpips", "latent_distance", _kind)
        title = f"Latent distance against the picture's loss, budget {budget}"
        drawn.append(Lines(f"{budget}", title, "LPIPS to the original", "latent distance to the original", lines))
    return drawn


def sheets(run: Run[PurificationSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs clean, protected and purified, each beside its reconstruction."""
    settings, autoencoder = run.settings, load_autoencoder(run.settings.run)
    lines: dict[int, list] = {}
    for unit in units(settings):
        index = unit.facts["index"]
        batches = [batch_pictures(unit, run, name) for name in ("none", name_of(FAST))]
        if index < SHEET_ROWS and all(batches):
            clean = photographs.square(unit.key["photograph"], settings.split, settings.run.size)
            shown = [clean, *(batch[index % BATCH] for batch in batches if batch)]
            pairs = [picture for x in shown for picture in (x, reconstruct_picture(x, autoencoder))]
            lines.setdefault(unit.key["budget"], []).append(pairs)
    labels = ["x", "V(x)", "protected", "V(protected)", "purified", "V(purified)"]
    return [Sheet(str(budget), labels, shown) for budget, shown in lines.items()]


def _kind(row: Record) -> str:
    return row["purifier"].split()[0]


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
    lambda settings, records: rows_of(records, ("budget",)),
    charts,
    sheets,
    checkpoints=lambda settings: {settings.run.checkpoint: WHOLE_MODEL},
    facts=_facts,
)
