"""What the figures were meant to be, and which of them are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from impress_ui.bench.plan import Report

GIB = 1024.0  # MiB


@dataclass(frozen=True)
class Goal:
    """One figure of a report and its limit; ``figure`` gives None where it was never reached."""

    name: str
    figure: Callable[[Report, str], float | None]
    limit: float
    at_least: bool = False

    def judged(self, report: Report, clock: str) -> Report | None:
        """The goal with what was measured; None where this benchmark did not measure it."""
        try:
            value = self.figure(report, clock)
        except (KeyError, TypeError):
            return None
        met = value is not None and (value >= self.limit if self.at_least else value <= self.limit)
        return {"goal": self.name, "limit": self.limit, "at_least": self.at_least, "value": value, "met": met}


def _floor(job: str, way: str) -> Callable[[Report, str], float]:
    return lambda report, clock: report["steps"][job]["over_floor"][way][clock]


def _share(name: str) -> Callable[[Report, str], float | None]:
    def figure(report: Report, clock: str) -> float | None:
        share = report["same_quality"]["share_of_time"][name]
        return None if share is None else share[clock]

    return figure


def _attack(way: str) -> Callable[[Report, str], Any]:
    return lambda report, _: report["memory"]["diffusion attack"][way]["share_of_published"]


GOALS = (
    Goal("encoder attack: a step over its floor", _floor("encoder attack", "ours"), 1.10),
    Goal("GLAZE: a step over its floor", _floor("glaze", "ours"), 1.10),
    Goal("IMPRESS, paper: a step over its floor", _floor("impress", "paper"), 1.10),
    Goal("IMPRESS, fast: a step over its floor", _floor("impress", "fast"), 1.10),
    Goal("the page over the bare loop", lambda r, clock: r["page"]["page_over_headless"][clock], 1.05),
    Goal("fast: share of the time to the published end's loss", _share("loss"), 0.10),
    Goal("fast: share of the time to its latent distance", _share("latent_distance"), 0.10),
    Goal(
        "fast: share of the time to its latent distance, the further goal",
        _share("latent_distance"),
        0.05,
    ),
    Goal("fast: columns in which its end is worse", lambda r, _: float(len(r["same_quality"]["worse"])), 0),
    Goal(
        "diffusion attack: times as fast as published",
        lambda r, clock: r["steps"]["diffusion attack"]["speedup"]["ours"][clock],
        2.0,
        at_least=True,
    ),
    Goal("diffusion attack: share of the published memory", _attack("ours"), 0.5),
    Goal("diffusion attack, stage by stage: share of the published memory", _attack("ours, stage by stage"), 0.5),
    Goal("--help, seconds", lambda r, _: r["start_up"]["help_seconds"], 1.0),
    Goal("the page answers, seconds", lambda r, _: r["start_up"]["page_seconds"], 6.0),
    Goal("the page at rest, GiB", lambda r, _: r["start_up"]["idle_memory"] / GIB, 1.5),
)
LARGE = "full-size autoencoder, a step at 512 pixels, GiB"


def judge(report: Report) -> list[Report]:
    """Every goal that the report has a figure for, as met or missed.

    On a CPU ratios are judged by processor time, which other work on the machine does not stretch; elsewhere by the
    clock.
    """
    on_cpu = report["machine"]["device"] == "cpu"
    large = Goal(LARGE, lambda r, _: r["large_checkpoint"]["full_peak"] / GIB, 24.0 if on_cpu else 8.0)
    judged = [goal.judged(report, "processor" if on_cpu else "wall") for goal in (*GOALS, large)]
    return [goal for goal in judged if goal is not None]
