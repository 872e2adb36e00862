"""Protections by purifiers: which is ahead, and what a protection is worth against whoever may choose the purifier.

``left.py`` says what is measured of each.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from impress_ui.experiments.charts import Chart, HeatMap
from impress_ui.experiments.experiment import Experiment, PictureRow, Record, Run, Sheet, Unit
from impress_ui.experiments.left import BY, LEAST, NONE, left_of, purified_by, rows_of
from impress_ui.experiments.left import COLUMNS as FIGURES
from impress_ui.experiments.pictures import (
    parts_of,
    prompt_of,
    protected,
    protected_key,
    purified_key,
)
from impress_ui.experiments.robustness import crossed
from impress_ui.experiments.settings import ArmsRaceSettings
from impress_ui.jobs.encoders import load_others
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.settings import JobSettings
from impress_ui.settings.protect import protection_of

SPOILED = 0.85  # SSIM to the original's edit below which an edit has failed
COLUMNS = {**FIGURES, "seconds": "Seconds to protect"}


def units(settings: ArmsRaceSettings) -> list[Unit]:
    """Each photograph under each protection, as it is and after each purifier."""
    return crossed(settings, "protection", settings.protections)


def run(unit: Unit, run: Run[ArmsRaceSettings]) -> list[Record]:
    """One protected picture's figures after one purifier."""
    name, purifier = unit.key["photograph"], unit.key["purifier"]
    job = _job(run.settings, unit.key["protection"], purifier)
    original = run.original(name)
    load_autoencoder(job.run)  # before the clock runs, with the others
    load_others(job)
    kept, began = run.kept(protected_key(name, job)), time.monotonic()
    changed = protected(name, original, job, run)
    seconds = None if kept else time.monotonic() - began
    figures = left_of(
        name, unit.key["protection"], changed, purifier, job, run,
        edits=run.settings.edits, prompt=prompt_of(name, run.settings),
    )  # fmt: skip
    return [{**figures, "seconds": seconds}]


def table(settings: ArmsRaceSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs; where there are several purifiers, also of the least that any of them leaves."""
    rows = rows_of(records, ("protection",), COLUMNS, settings.purifiers)
    return sorted(rows, key=lambda row: settings.protections.index(row["protection"]))


def facts(settings: ArmsRaceSettings, records: list[Record]) -> Record:
    """From which latent distance on an edit is spoiled."""
    known = [record for record in records if record["edit_ssim"] is not None]
    spoils, right = threshold([(record["after"], record["edit_ssim"] < SPOILED) for record in known])
    return {"size": settings.run.size, "spoils_from": spoils, "told_apart": right}


def threshold(pairs: Sequence[tuple[float, bool]]) -> tuple[float | None, float | None]:
    """(the value from which on most is true, the share that it tells rightly)."""
    values, truths = np.array([value for value, _ in pairs]), np.array([truth for _, truth in pairs])
    if not truths.size or truths.all() or not truths.any():
        return None, None
    candidates = np.unique(values)
    right = [((values >= at) == truths).mean() for at in candidates]
    best = int(np.argmax(right))
    return round(float(candidates[best]), 3), round(float(right[best]), 3)


def charts(settings: ArmsRaceSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """What each purifier leaves of each protection."""
    columns = (*settings.purifiers, *([LEAST] if len(settings.purifiers) > 1 else []))
    titles = {"left": "by the latent", "twin": "by the twin", "by_edit": "by the edit"}
    maps: list[Chart] = []
    for figure, title in titles.items():
        found = {(row["protection"], row["purifier"]): row[figure] for row in rows}
        grid = [[found.get((protection, purifier)) for purifier in columns] for protection in settings.protections]
        if any(value is not None for line in grid for value in line):
            maps.append(
                HeatMap(
                    figure, f"Protection left, {title}", "purifier", "protection",
                    [_narrow(name) for name in columns], [_narrow(name) for name in settings.protections], grid, ".0%",
                )
            )  # fmt: skip
    return maps


def sheets(run: Run[ArmsRaceSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs under each protection, and after each purifier of the first and the last one."""
    settings = run.settings
    protections = {name: _job(settings, name, NONE) for name in settings.protections}
    shown = run.sheet(
        "protected",
        ["clean", *map(_narrow, protections)],
        lambda name: [run.original(name), *(run.kept(protected_key(name, job)) for job in protections.values())],
        width=256,
    )
    for number, protection in enumerate(dict.fromkeys((settings.protections[0], settings.protections[-1]))):

        def pictures(name: str, protection: str = protection) -> PictureRow:
            jobs = [_job(settings, protection, purifier) for purifier in settings.purifiers]
            return [run.kept(protected_key(name, jobs[0])), *(run.kept(purified_key(name, job)) for job in jobs)]

        shown += run.sheet(f"purified_{number}", [_narrow(protection), *settings.purifiers], pictures)
    return shown


def _narrow(words: str) -> str:
    """A protection's words on short lines."""
    return words.replace(" ", "\n").replace("+", "\n+")


def _job(settings: ArmsRaceSettings, protection: str, purifier: str) -> JobSettings:
    return purified_by(settings.job.model_copy(update={"protect": protection_of(protection)}), purifier)


def _checkpoints(settings: ArmsRaceSettings) -> Mapping[str, Sequence[str]]:
    jobs = [_job(settings, a, b) for a in settings.protections for b in settings.purifiers]
    others = {name: ("vae",) for job in jobs for name in job.protect.others}
    return {**others, settings.run.checkpoint: parts_of(jobs, edits=settings.edits)}


ARMS_RACE = Experiment(
    "arms-race",
    (ArmsRaceSettings.__doc__ or "").strip(),
    ArmsRaceSettings,
    units,
    run,
    table,
    charts,
    sheets,
    extent=("photographs",),
    checkpoints=_checkpoints,
    columns=COLUMNS | BY,
    facts=facts,
)
