"""Experiments that are done in one piece: files and report are as everybody's, their one unit is all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from impress_ui.experiments.common import Assignment, Report
from impress_ui.experiments.experiment import Experiment, Record, Run, Unit
from impress_ui.experiments.settings import ExperimentSettings

_LISTS = ("rows", "per_photograph")


def in_one_piece(
    name: str,
    function: Callable[[Assignment], Report],
    settings: type[ExperimentSettings],
    parts: Sequence[str],
) -> Experiment:
    """An experiment of a function that returns ``rows``, perhaps ``per_photograph``, and headline facts.

    Args:
        parts: the parts of the checkpoint that it stands on.
    """

    def run(unit: Unit, run: Run) -> list[Record]:
        return [dict(function(plan_of(run)))]

    def checkpoints(given: ExperimentSettings) -> Mapping[str, Sequence[str]]:
        return {given.run.checkpoint: parts}

    return Experiment(
        name,
        (settings.__doc__ or "").strip(),
        settings,
        units=lambda given: [Unit({}, "all")],
        run=run,
        table=lambda given, records: records[0]["rows"],
        checkpoints=checkpoints,
        facts=lambda given, records: {key: value for key, value in records[0].items() if key not in _LISTS},
        finest=lambda records: records[0].get("per_photograph", records[0]["rows"]),
    )


def plan_of(run: Run) -> Assignment:
    """The plan of a run, for functions that take one; its output is where the results go."""
    settings = run.settings
    budgets = getattr(settings, "budgets", None)
    return Assignment(settings.job, run.folder.path.parent, settings.split, settings.photographs, run.log, budgets)
