"""What the figures were meant to be, and which of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from impress_ui.bench.plan import Report

GIB = 1024.0  # MiB


@dataclass(frozen=True)
class Goal:
    """One figure of a report and its limit.

    Args:
        place: the keys that lead to the figure; a ratio has a figure a clock, and a list counts.
        unit: what the figure is divided by.
    """

    name: str
    place: tuple[str, ...]
    limit: float
    at_least: bool = False
    unit: float | None = None

    def judged(self, report: Report, clock: str) -> Report | None:
        """The goal with what was measured, None where it was never reached; no goal where nobody measured it."""
        value: Any = report
        try:
            for key in self.place:
                value = value[key]
            value = value[clock] if isinstance(value, dict) else value
            value = float(len(value)) if isinstance(value, list) else value
            value = value / self.unit if self.unit else value
        except (KeyError, TypeError):
            return None
        met = value is not None and (value >= self.limit if self.at_least else value <= self.limit)
        return {"goal": self.name, "limit": self.limit, "at_least": self.at_least, "value": value, "met": met}


_QUALITY, _ATTACK = ("same_quality", "share_of_time"), ("memory", "diffusion attack")
GOALS = (
    Goal("encoder attack: a step over its floor", ("steps", "encoder attack", "over_floor", "ours"), 1.10),
    Goal("GLAZE: a step over its floor", ("steps", "glaze", "over_floor", "ours"), 1.10),
    Goal("IMPRESS, paper: a step over its floor", ("steps", "impress", "over_floor", "paper"), 1.10),
    Goal("IMPRESS, fast: a step over its floor", ("steps", "impress", "over_floor", "fast"), 1.10),
    Goal("the page over the bare loop", ("page", "page_over_headless"), 1.05),
    Goal("fast: share of the time to the published end's loss", (*_QUALITY, "loss"), 0.10),
    Goal("fast: share of the time to its latent distance", (*_QUALITY, "latent_distance"), 0.10),
    Goal("fast: share of the time to its latent distance, the further goal", (*_QUALITY, "latent_distance"), 0.05),
    Goal("fast: columns in which its end is worse", ("same_quality", "worse"), 0),
    Goal("diffusion attack: times as fast as published", ("steps", "diffusion attack", "speedup", "ours"), 2.0, True),
    Goal("diffusion attack: share of the published memory", (*_ATTACK, "ours", "share_of_published"), 0.5),
    Goal(
        "diffusion attack, stage by stage: share of the published memory",
        (*_ATTACK, "ours, stage by stage", "share_of_published"),
        0.5,
    ),
    Goal("--help, seconds", ("start_up", "help_seconds"), 1.0),
    Goal("the page answers, seconds", ("start_up", "page_seconds"), 6.0),
    Goal("the page at rest, GiB", ("start_up", "idle_memory"), 1.5, unit=GIB),
)
LARGE = "full-size autoencoder, a step at 512 pixels, GiB"


def judge(report: Report) -> list[Report]:
    """Every goal that the report has a figure for, as met or missed.

    On a CPU ratios are judged by processor time, which other work on the machine does not stretch; elsewhere by the
    clock.
    """
    on_cpu = report["machine"]["device"] == "cpu"
    large = Goal(LARGE, ("large_checkpoint", "full_peak"), 24.0 if on_cpu else 8.0, unit=GIB)
    judged = [goal.judged(report, "processor" if on_cpu else "wall") for goal in (*GOALS, large)]
    return [goal for goal in judged if goal is not None]
