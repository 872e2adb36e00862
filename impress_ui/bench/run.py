"""One benchmark from end to end."""

from __future__ import annotations

import logging
import time

from impress_ui.bench.goals import judge
from impress_ui.bench.large import large_checkpoint, surrogate_bound
from impress_ui.bench.memory import Apart, growth, peaks
from impress_ui.bench.own_size import own_size
from impress_ui.bench.plan import Plan, Report, machine
from impress_ui.bench.quality import same_quality
from impress_ui.bench.startup import page_cost, start_up
from impress_ui.bench.steps import seconds_a_step


def run_bench(plan: Plan) -> Report:
    """All measurements of the plan as plain data.

    The processes that are measured from outside come first, before this one has taken much of the machine.
    """
    logging.getLogger("diffusers").setLevel(logging.ERROR)
    began = time.perf_counter()
    report: Report = {
        "bench": "quick" if plan.quick else "full",
        "checkpoint": plan.run.checkpoint,
        "side": plan.side,
        "seed": plan.run.seed,
        "machine": machine(plan),
    }
    with Apart() as apart:
        report["start_up"] = start_up(plan)
        report["memory"] = peaks(plan, apart)
        if not plan.quick:
            report["growth"] = growth(plan, apart)
            report["own_size"] = own_size(plan, apart)
            report["large_checkpoint"] = large_checkpoint(plan, apart)
    report["steps"] = seconds_a_step(plan)
    report["page"] = page_cost(plan)
    report["surrogate"] = surrogate_bound(plan)
    report["same_quality"] = same_quality(plan)
    report["goals"] = judge(report)
    report["seconds"] = time.perf_counter() - began
    return report
