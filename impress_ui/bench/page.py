"""What the streaming page costs over the bare loop."""

from __future__ import annotations

from impress_ui.bench.clock import Case, ratio, time_in_turn
from impress_ui.bench.plan import Plan, Report
from impress_ui.jobs import workflow
from impress_ui.methods.optimise import run_to_end

STEPS = 20


def page_cost(plan: Plan) -> Report:
    """Seconds a step of the fast recipe with and without the page's stream of curves and previews, and their ratio."""
    plan.log("the page's share")
    from impress_ui.ui.streaming import StreamedPurification

    image, job = plan.pictures(1)[0], plan.job(purify={"steps": STEPS})
    streamed = StreamedPurification(image, job)
    cases = {
        "headless": Case(lambda: run_to_end(workflow.purify_picture(image, job)), STEPS),
        "page": Case(streamed.run, STEPS),
    }
    times = time_in_turn(cases, plan.repeats, plan.device)
    return {
        **{name: taken.as_dict() for name, taken in times.items()},
        "page_over_headless": ratio(times["page"], times["headless"]),
    }
