"""What an experiment is: its settings, its units of work, and what is made of their records.

    units(settings)            a list of Unit: a picture and a row, or whatever is worth keeping once it is done
    run(unit, run)             a unit's records: dictionaries of figures, one shape in an experiment
    table(settings, records)   the rows that are printed, often ``means_of`` the records
    charts, sheets             what is drawn of them

The runner (``runner.py``) does the rest: resuming, several processes, failures, files and the report.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import Image

from impress_ui.experiments.charts import Chart
from impress_ui.experiments.folder import Record, RunFolder
from impress_ui.experiments.named import names_learned
from impress_ui.experiments.settings import ExperimentSettings
from impress_ui.pictures.photographs import square

WHOLE_MODEL = ("vae", "unet", "text_encoder")  # the parts whose weights decide about a result
SHEET_ROWS = 4  # photographs in a contact sheet
FEWEST = 4  # values that an interval is made of

PictureRow = Sequence[Image.Image | None]
S = TypeVar("S", bound=ExperimentSettings)


@dataclass(frozen=True)
class Unit:
    """A piece of work that is kept when it is done.

    Args:
        key: what tells it from the others, as the first columns of its records: ``{"photograph": ..., "row": ...}``.
        group: units of one group run in one process, in order, since they share pictures; usually the photograph.
        facts: what ``run`` needs besides and nobody has to see.
    """

    key: Mapping[str, Any]
    group: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The key in words."""
        return ", ".join(f"{name} {value}" for name, value in self.key.items()) or self.group


@dataclass(frozen=True)
class Sheet:
    """A contact sheet: rows of pictures of one shape under a label a column, saved as ``EXPERIMENT_name.png``.

    ``names`` stand at the left of the rows, where there are any.
    """

    name: str
    labels: Sequence[str]
    rows: Sequence[Sequence[Image.Image]]
    width: int = 192
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Run(Generic[S]):
    """What a unit runs in: the settings, and the pictures that it shares with others."""

    settings: S
    folder: RunFolder
    log: Callable[[str], None]

    def picture(self, key: str, make: Callable[[], Image.Image]) -> Image.Image:
        """An RGB picture kept losslessly in the run's folder under a key that says all that determines it."""
        return self.folder.pictures(key, lambda: [make()])[0]

    def kept(self, key: str) -> Image.Image | None:
        """The picture of a key, if there is one: for contact sheets."""
        kept = self.folder.kept_pictures(key)
        return kept[0] if kept else None

    def original(self, name: str) -> Image.Image:
        """The square of a photograph that everything is made of."""
        return square(name, self.settings.split, self.settings.run.size)

    def sheet(
        self,
        name: str,
        labels: Sequence[str],
        pictures: Callable[[str], PictureRow],
        width: int = 144,
        rows: int = SHEET_ROWS,
    ) -> list[Sheet]:
        """A contact sheet of the first photographs, a row each of what ``pictures`` makes of its name.

        Where a picture of a row is missing, since its unit failed, the row is left out; without rows there is none.
        """
        made = [pictures(photograph) for photograph in self.settings.names[:rows]]
        whole = [[picture for picture in row if picture] for row in made if None not in row]
        return [Sheet(name, labels, whole, width)] if whole else []


@dataclass(frozen=True)
class Experiment(Generic[S]):
    """One experiment.

    Args:
        about: one sentence for the report.
        checkpoints: which checkpoints, with which of their parts, it stands on: their weights are hashed.
        learned: whether its results depend on the learned purifier's weights, which are hashed too then.
        facts: what the table's headline says besides; plain data.
        finest: what the CSV holds of the records.
        columns: what a figure of the table is called in the report, where its name says too little.
        extent: settings that only say how many units there are: a run may go on with another value of these.
    """

    name: str
    about: str
    settings: type[S]
    units: Callable[[S], Sequence[Unit]]
    run: Callable[[Unit, Run[S]], list[Record]]
    table: Callable[[S, list[Record]], list[Record]]
    charts: Callable[[S, list[Record], list[Record]], Sequence[Chart]] = lambda settings, rows, records: ()
    sheets: Callable[[Run[S], list[Record]], Sequence[Sheet]] = lambda run, rows: ()
    checkpoints: Callable[[S], Mapping[str, Sequence[str]]] = lambda settings: {settings.run.checkpoint: ("vae",)}
    learned: Callable[[S], bool] = names_learned
    facts: Callable[[S, list[Record]], Record] = lambda settings, records: {"size": settings.run.size}
    finest: Callable[[list[Record]], list[Record]] = lambda records: records
    columns: Mapping[str, str] = field(default_factory=dict)
    extent: Sequence[str] = ()

    @classmethod
    def in_one_piece(
        cls, name: str, function: Callable[[Run[S]], Record], settings: type[S], **options: Any
    ) -> Experiment[S]:
        """An experiment whose one unit is all of it: a function that returns ``rows``, headline facts, and ``curves``.

        ``curves`` are what its charts draw beside the rows, if anything.
        """
        return cls(
            name,
            (settings.__doc__ or "").strip(),
            settings,
            units=lambda given: [Unit({}, "all")],
            run=lambda unit, run: [function(run)],
            table=lambda given, records: records[0]["rows"],
            facts=lambda given, records: {
                key: value for key, value in records[0].items() if key not in ("rows", "curves")
            },
            finest=lambda records: records[0]["rows"],
            **options,
        )


def mean_and_error(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """(mean, standard error of the mean) of the values that are known; None where there are too few."""
    known = np.array([value for value in values if value is not None], dtype=float)
    mean = float(known.mean()) if len(known) else None
    return mean, float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else None


def interval(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """The 95 % interval of the mean of the values that are known, by percentile bootstrap.

    None below ``FEWEST`` values, of which it would be hardly more than the least and the greatest.
    """
    known = np.array([value for value in values if value is not None], dtype=float)
    if len(known) < FEWEST:
        return None, None
    from scipy.stats import bootstrap  # a second to import

    found = bootstrap((known,), np.mean, n_resamples=2000, method="percentile", rng=0).confidence_interval
    return float(found.low), float(found.high)


def grouped(records: Sequence[Record], by: Sequence[str]) -> dict[tuple[Any, ...], list[Record]]:
    """The records of each combination of the ``by`` columns, in order of appearance."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(record[name] for name in by), []).append(record)
    return groups


def means_of(
    records: Sequence[Record],
    by: Sequence[str],
    columns: Iterable[str],
    count: str = "photographs",
    intervals: Collection[str] = (),
) -> list[Record]:
    """A row for each combination of the ``by`` columns, in order of appearance: how many, and x, x_se of each.

    Args:
        intervals: those of the columns that get x_low and x_high too, as ``interval`` has them.
    """
    rows = []
    for values, ours in grouped(records, by).items():
        row: Record = {**dict(zip(by, values, strict=True)), count: len(ours)}
        for column in columns:
            known = [record[column] for record in ours]
            row[column], row[f"{column}_se"] = mean_and_error(known)
            if column in intervals:
                row[f"{column}_low"], row[f"{column}_high"] = interval(known)
        rows.append(row)
    return rows


def lines_of(
    rows: Sequence[Record], x: str, y: str, by: Callable[[Record], str]
) -> dict[str, list[tuple[Any, float, float | None]]]:
    """(x, mean, standard error) of the rows for each line of a chart; rows without a mean are left out."""
    lines: dict[str, list[tuple[Any, float, float | None]]] = {}
    for row in rows:
        if row[y] is not None:
            lines.setdefault(by(row), []).append((row[x], row[y], row[f"{y}_se"]))
    return lines


def whole_model(settings: ExperimentSettings) -> dict[str, Sequence[str]]:
    """For ``Experiment.checkpoints``: every part of the settings' checkpoint decides about the results."""
    return {settings.run.checkpoint: WHOLE_MODEL}
