"""How often the classifier of style is right on clean renderings."""

from __future__ import annotations

from collections import Counter

from impress_ui.core.classifiers.clip import load_clip_classifier
from impress_ui.core.classifiers.common import CLASSES, accuracy, ranking
from impress_ui.core.classifiers.renderings import held_out
from impress_ui.core.experiments.common import Plan, Report
from impress_ui.core.models import pick_device
from impress_ui.settings import ClassifySettings


def classifier(plan: Plan) -> Report:
    """Top-1 of each style and artist on the split's photographs at 128 pixels, the mean, and the worst confusion."""
    settings = ClassifySettings()
    judge = load_clip_classifier(settings, pick_device(plan.job.run.device))
    made = held_out(plan.split, plan.photographs, seed=plan.job.run.seed)
    plan.log(f"{len(made)} renderings of {len(made) // len(CLASSES)} photographs")
    scores = judge.scores([rendering.image for rendering in made])
    truths = [rendering.manner for rendering in made]
    named = [verdict.best for verdict in ranking(scores, judge.classes, 1)]
    rows, wrong = [], Counter((truth, name) for truth, name in zip(truths, named, strict=True) if truth != name)
    for manner in CLASSES:
        own = [number for number, truth in enumerate(truths) if truth == manner]
        right = accuracy(scores[own], judge.classes, manner)
        mistakes = Counter({name: count for (truth, name), count in wrong.items() if truth == manner})
        rows.append(
            {
                "class": manner,
                "n": right.n,
                "top_1": right.value,
                "standard_error": right.standard_error,
                "probability": float(scores[own, judge.classes.index(manner)].mean()),
                "taken_for": mistakes.most_common(1)[0][0] if mistakes else None,
            }
        )
    overall = accuracy(scores, judge.classes, truths)
    worst = wrong.most_common(1)
    return {
        "classifier": settings.model,
        "n": overall.n,
        "top_1": overall.value,
        "standard_error": overall.standard_error,
        "worst_confusion": f"{worst[0][0][0]} for {worst[0][0][1]} ({worst[0][1]} times)" if worst else None,
        "rows": rows,
    }
