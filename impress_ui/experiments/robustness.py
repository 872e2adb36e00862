"""How does a protection's strength grow with its budget, and what does each purifier leave of it?

On request the purifiers also work on pictures that nobody protected, a row each where else the budget stands: there
nothing is to be gained, and ``after`` is the purifier's own damage, in lengths of the given picture's latent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from impress_ui.experiments.charts import Chart, Lines
from impress_ui.experiments.experiment import Experiment, PictureRow, Record, Run, Sheet, Unit, lines_of
from impress_ui.experiments.found import UNTOUCHED
from impress_ui.experiments.left import (
    BY,
    CLEAN,
    EDITED,
    LEAST,
    NONE,
    SHARES,
    least_of,
    left_of,
    purified_by,
    rows_of,
)
from impress_ui.experiments.left import COLUMNS as FIGURES
from impress_ui.experiments.pictures import parts_of, protected, protected_key, purified_key
from impress_ui.experiments.settings import ArmsRaceSettings, RobustnessSettings
from impress_ui.measures.grid import MEASURES
from impress_ui.settings import JobSettings

COLUMNS = {**FIGURES, **{name: about.label for name, about in MEASURES.items()}}


def units(settings: RobustnessSettings) -> list[Unit]:
    """Each photograph at each budget under each purifier, and without one."""
    return crossed(settings, "budget", _rows(settings))


def crossed(settings: RobustnessSettings | ArmsRaceSettings, column: str, values: Sequence[Any]) -> list[Unit]:
    """Each photograph under each of the values of a protection, as it is and after each purifier."""
    return [
        Unit({"photograph": name, column: value, "purifier": purifier}, name)
        for name in settings.names
        for value in values
        for purifier in (NONE, *settings.purifiers)
    ]


def run(unit: Unit, run: Run[RobustnessSettings]) -> list[Record]:
    """One picture's figures after one purifier; with edits, also their distance from the clean picture's."""
    name, budget, purifier = unit.key["photograph"], unit.key["budget"], unit.key["purifier"]
    job = _job(run.settings, budget, purifier)
    original, edits = run.original(name), run.settings.edits
    if budget in UNTOUCHED:
        own = UNTOUCHED[budget](original)
        return [left_of(f"{name} {budget}", CLEAN, None, purifier, job, run, original=own, edits=edits)]
    changed = protected(name, original, job, run)
    return [left_of(name, str(budget), changed, purifier, job, run, edits=edits)]


def table(settings: RobustnessSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs; where there are several purifiers, also of the one that does best on each."""
    figures = [name for name in COLUMNS if settings.edits or name not in EDITED]
    shares = [name for name in SHARES if name in figures]
    rows = rows_of(records, ("budget",), figures, settings.purifiers, shares=shares)
    return sorted(rows, key=lambda row: _rows(settings).index(row["budget"]))


def winners(settings: RobustnessSettings, records: list[Record]) -> Record:
    """How often each purifier was the one that left least."""
    counted = Counter(record["by"] for record in least_of(records, ("budget",)))
    return {"size": settings.run.size, "left_least": dict(counted.most_common())}


def charts(settings: RobustnessSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """Strength over the budget before and after purifying, the share left, and what the picture loses."""
    name = settings.protect.method

    def over_budgets(file: str, title: str, y: str, column: str, shown: Sequence[str], percent: bool = False) -> Lines:
        kept = [row for row in rows if row["purifier"] in shown and row["budget"] not in UNTOUCHED]
        kept.sort(key=lambda row: row["budget"])
        lines = lines_of(kept, "budget", column, lambda row: row["purifier"])
        ordered = {label: lines[label] for label in shown if label in lines}
        return Lines(file, title, "budget in grey levels", y, ordered, percent=percent)

    some, every = (*settings.purifiers, LEAST), (NONE, *settings.purifiers)
    chart = [
        over_budgets("after", f"Latent distance to the original: {name}", "relative distance", "after", every),
        over_budgets("left", f"Protection left: {name}", "share of the latent distance", "left", some, percent=True),
        over_budgets("lost", f"Picture lost: {name}", "LPIPS to the original", "lpips", every),
    ]
    if settings.edits:
        chart.append(over_budgets("edits", f"Edit against the clean edit: {name}", "SSIM", "edit_ssim", every))
    return [drawn for drawn in chart if drawn.lines]


def sheets(run: Run[RobustnessSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs: clean, then at the middle budget protected and after each purifier."""
    settings = run.settings
    budget = sorted(settings.budgets)[len(settings.budgets) // 2]
    jobs = {purifier: _job(settings, budget, purifier) for purifier in (NONE, *settings.purifiers)}

    def pictures(name: str) -> PictureRow:
        keys = [protected_key(name, jobs[NONE]), *(purified_key(name, jobs[p]) for p in settings.purifiers)]
        return [run.original(name), *map(run.kept, keys)]

    return run.sheet(f"at_{budget}", ["clean", f"protected at {budget}", *settings.purifiers], pictures)


def _rows(settings: RobustnessSettings) -> tuple[int | str, ...]:
    """The budgets, and before them, where they are wanted, the pictures that nobody protected."""
    return (*(UNTOUCHED if settings.untouched else ()), *settings.budgets)


def _job(settings: RobustnessSettings, budget: int | str, purifier: str) -> JobSettings:
    job = settings.job if budget in UNTOUCHED else settings.job.updated(protect={"budget": budget})
    return purified_by(job, purifier)


def _checkpoints(settings: RobustnessSettings) -> Mapping[str, Sequence[str]]:
    jobs = [_job(settings, budget, purifier) for budget in settings.budgets for purifier in settings.purifiers]
    return {settings.run.checkpoint: parts_of(jobs or [settings.job], edits=settings.edits)}


ROBUSTNESS = Experiment(
    "robustness",
    "How a protection's strength grows with its budget, and what each purifier leaves of it.",
    RobustnessSettings,
    units,
    run,
    table,
    charts,
    sheets,
    facts=winners,
    extent=("photographs",),
    checkpoints=_checkpoints,
    columns=COLUMNS | BY,
)
