"""What do single settings of the protection and the purification do? A grid of them, or a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import spearmanr

from impress_ui.experiments.charts import Chart, HeatMap, Lines
from impress_ui.experiments.complexity import COMPLEXITIES, complexity_of
from impress_ui.experiments.experiment import (
    Experiment,
    PictureRow,
    Record,
    Run,
    Sheet,
    Unit,
    grouped,
    lines_of,
    means_of,
)
from impress_ui.experiments.grid import AblationSettings
from impress_ui.experiments.named import jobs_of
from impress_ui.experiments.pictures import parts_of, protected, protected_key, purified, purified_key
from impress_ui.measures.grid import MEASURES, figures_of
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.settings.sweep import label_of

COVARIATE = "entropy"
AS_SET = "as set"  # a setting that a row of a one-at-a-time design leaves alone
# Measures in which the purification has no part.
OF_PROTECTION = ("strength", "cost", "round_trip")
SHEET_CELLS = 8


def units(settings: AblationSettings) -> list[Unit]:
    """Each photograph under each combination of settings."""
    swept = names_in(settings)
    return [
        Unit({"photograph": name, **{s: cell.get(s, AS_SET) for s in swept}}, name, facts=cell)
        for name in settings.names
        for cell in settings.grid
    ]


def names_in(settings: AblationSettings) -> list[str]:
    """The settings that the grid varies, by dotted name, in order."""
    return list(dict.fromkeys(name for cell in settings.grid for name in cell))


def run(unit: Unit, run: Run[AblationSettings]) -> list[Record]:
    """A photograph's figures under one combination of settings, and how complex the photograph is."""
    name, job = unit.key["photograph"], run.settings.job.at(unit.facts)
    original = run.original(name)
    changed = protected(name, original, job, run)
    result = purified(name, changed, job, run)
    return [{**figures_of(original, changed, result, load_autoencoder(job.run)), **complexity_of(original)}]


def table(settings: AblationSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs; and over them, how the share left goes with a photograph's complexity."""
    names = names_in(settings)
    rows = means_of(records, names, MEASURES)
    for row, ours in zip(rows, grouped(records, names).values(), strict=True):
        row["left_by_complexity"] = rank_correlation([(r[COVARIATE], r["left"]) for r in ours])
    order = {_key(cell, names): number for number, cell in enumerate(settings.grid)}
    return sorted(rows, key=lambda row: order[_key(row, names)])


def rank_correlation(pairs: Sequence[tuple[float, float | None]]) -> float | None:
    """Spearman's rho; None below four pairs, where it means nothing, or where one side does not vary."""
    known = [(x, y) for x, y in pairs if y is not None]
    if len(known) < 4 or any(len(set(side)) < 2 for side in zip(*known, strict=True)):
        return None
    xs, ys = zip(*known, strict=True)
    return float(spearmanr(xs, ys).statistic)


def charts(settings: AblationSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """Curves over one setting (a line for each value of a second), a heat map over two, and the complexity."""
    names = names_in(settings)
    drawn: list[Chart] = []
    alone = settings.cells or settings.design == "one-at-a-time"
    if len(names) == 1 or not alone:
        for column in ("strength", "left", "lpips"):
            drawn += _curves(names, rows, column)
        if len(names) == 2:
            drawn.append(_map(names, rows, "left"))
    elif not settings.cells:
        for name in names:
            ours = [row for row in rows if row[name] != AS_SET]
            drawn += [chart for column in ("strength", "left") for chart in _curves([name], ours, column)]
    of_cell, points = grouped(records, names), {}
    for row in _spread(rows):
        ours = of_cell[tuple(row[name] for name in names)]
        if line := sorted((record[COVARIATE], record["left"], None) for record in ours if record["left"] is not None):
            points[_words(row, names)] = line
    if points:
        drawn.append(
            Lines(
                "complexity", "Protection left over the picture's complexity", COMPLEXITIES[COVARIATE],
                MEASURES["left"].label, points, joined=False, percent=True,
            )
        )  # fmt: skip
    return drawn


def sheets(run: Run[AblationSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs: clean, and under some of the combinations protected and purified."""
    settings = run.settings
    names, cells = names_in(settings), _spread(settings.grid)
    own = [name for name in names if name.startswith("protect.")]

    def labels(name: str) -> dict[str, str]:
        """By the picture's key: a protected picture that several combinations share is shown once."""
        told: dict[str, str] = {}
        for job, cell in ((settings.job.at(cell), cell) for cell in cells):
            told.setdefault(protected_key(name, job), f"protected {_words(cell, own)}")
            told.setdefault(purified_key(name, job), f"purified {_words(cell, names)}")
        return told

    def pictures(name: str) -> PictureRow:
        return [run.original(name), *map(run.kept, labels(name))]

    return run.sheet("pictures", ["clean", *labels("").values()], pictures, width=160)


def _curves(names: Sequence[str], rows: Sequence[Record], column: str) -> list[Lines]:
    if column in OF_PROTECTION:  # lines of different purifications would hide each other
        names = [name for name in names if name.startswith("protect.")]
        rows = list({_words(row, names): row for row in rows}.values())
    if not names:
        return []
    x, *others = names
    if not all(isinstance(row[x], (int, float)) and not isinstance(row[x], bool) for row in rows):
        return []
    about = MEASURES[column]
    lines = lines_of(sorted(rows, key=lambda row: row[x]), x, column, lambda row: _words(row, others) or about.label)
    values = [row[x] for row in rows]
    wide = min(values) > 0 and max(values) / min(values) >= 20
    title = f"{about.label}, over {label_of(x)}"
    name, percent = f"{x.replace('.', '_')}_{column}", "%" in about.form
    return [Lines(name, title, label_of(x), about.label, lines, percent=percent, log_x=wide)]


def _map(names: Sequence[str], rows: Sequence[Record], column: str) -> HeatMap:
    y, x = names
    ys, xs = (list(dict.fromkeys(row[name] for row in rows)) for name in (y, x))
    values = {(row[y], row[x]): row[column] for row in rows}
    grid = [[values.get((line, place)) for place in xs] for line in ys]
    about = MEASURES[column]
    return HeatMap(f"map_{column}", about.label, label_of(x), label_of(y), xs, ys, grid, about.form)


def _spread(items: Sequence[Any]) -> list[Any]:
    """At most ``SHEET_CELLS`` of them, from the first to the last."""
    if len(items) <= SHEET_CELLS:
        return list(items)
    return [items[round(number * (len(items) - 1) / (SHEET_CELLS - 1))] for number in range(SHEET_CELLS)]


def _words(values: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(
        f"{name.partition('.')[2]} {_word(values[name])}" for name in names if values.get(name, AS_SET) != AS_SET
    )


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _key(values: Mapping[str, Any], names: Sequence[str]) -> str:
    return repr([values.get(name, AS_SET) for name in names])


def _checkpoints(settings: AblationSettings) -> dict[str, Sequence[str]]:
    jobs = jobs_of(settings)
    others: dict[str, Sequence[str]] = {name: ("vae",) for job in jobs for name in job.protect.others}
    return {**others, settings.run.checkpoint: parts_of(jobs)}


ABLATION = Experiment(
    "ablation",
    "What single settings of the protection and the purification do to the figures.",
    AblationSettings,
    units,
    run,
    table,
    charts,
    sheets,
    extent=("photographs",),
    checkpoints=_checkpoints,
    columns={
        **{name: measure.label for name, measure in MEASURES.items()},
        "left_by_complexity": "Left by entropy, Spearman's ρ",
    },
)
