"""How the cost grows: with the side of a picture, with the pictures in a batch, with the steps of a run."""

from __future__ import annotations

import dataclasses

from impress_ui.bench.clock import Case, time_in_turn
from impress_ui.bench.phases import Apart, growth_peak, say_nothing
from impress_ui.bench.plan import Plan, Report
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.settings import PurifySettings

SIDES = (64, 128, 256, 512)
BATCHES = (1, 2, 4, 8)
STEPS = (5, 10, 20, 40)
PIXELS_A_MEASUREMENT = 10 * 128**2  # a large picture is timed over fewer steps


def growth(plan: Plan, apart: Apart) -> Report:
    """Rows of seconds a step and MiB by side and by batch, and of seconds a run by steps, of the fast recipe."""
    silent = dataclasses.replace(plan, log=say_nothing)
    report: Report = {"by_side": [], "by_batch": [], "by_steps": []}
    for side in SIDES:
        plan.log(f"growth: side {side}")
        steps = max(2, PIXELS_A_MEASUREMENT // side**2)
        report["by_side"].append(
            {"paper": apart(growth_peak, silent, side, 1, "paper", steps)["seconds"]}
            | apart(growth_peak, silent, side, 1, "fast", steps)
        )
    for batch in BATCHES:
        plan.log(f"growth: batch {batch}")
        report["by_batch"].append(apart(growth_peak, silent, plan.side, batch, "fast", 10))
    autoencoder, x = load_autoencoder(plan.run), plan.tensor()

    def runs(steps: int) -> Case:
        return Case(lambda: run_to_end(purify(x, PurifySettings(steps=steps), autoencoder)))

    plan.log("growth: steps")
    times = time_in_turn({str(steps): runs(steps) for steps in STEPS}, 2, plan.device)
    report["by_steps"] = [{"steps": int(steps), "side": plan.side, **taken.as_dict()} for steps, taken in times.items()]
    for row in report["by_batch"]:
        row["images_a_minute"] = 60 * row["batch"] / (row["seconds"] * PurifySettings().steps)
    return report
