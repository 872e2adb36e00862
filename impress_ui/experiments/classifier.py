"""How often the classifiers of style are right on clean renderings."""

from __future__ import annotations

from collections import Counter

from impress_ui.experiments.experiment import Experiment, Record, Run, whole_model
from impress_ui.experiments.settings import ClassifierSettings
from impress_ui.measures.classifiers.clip import load_clip_classifier
from impress_ui.measures.classifiers.common import CLASSES, accuracy, ranking
from impress_ui.measures.classifiers.jury import load_diffusion_classifier
from impress_ui.measures.classifiers.renderings import held_out
from impress_ui.models.autoencoder import pick_device
from impress_ui.settings import ClassifySettings

JURY_PHOTOGRAPHS = 4  # the diffusion classifier takes a second or two a picture


def classifier(run: Run[ClassifierSettings]) -> Record:
    """Top-1 of each style and artist on the split's photographs at 128 pixels, the mean, and the worst confusion.

    The diffusion classifier is judged on the renderings of the first four photographs only.
    """
    given, settings = run.settings, ClassifySettings()
    judge = load_clip_classifier(settings, pick_device(given.run.device))
    made = held_out(given.split, given.photographs, seed=given.run.seed)
    run.log(f"{len(made)} renderings of {len(made) // len(CLASSES)} photographs")
    scores = judge.scores([rendering.image for rendering in made])
    jury = load_diffusion_classifier(ClassifySettings(method="diffusion"), given.run)
    few = made[: JURY_PHOTOGRAPHS * len(CLASSES)]
    run.log(f"{len(few)} renderings for the diffusion classifier, {jury.passes} passes each")
    errors = jury.scores([rendering.image for rendering in few])
    truths = [rendering.manner for rendering in made]
    named = [verdict.best for verdict in ranking(scores, judge.classes, 1)]
    rows, wrong = [], Counter((truth, name) for truth, name in zip(truths, named, strict=True) if truth != name)
    for manner in CLASSES:
        own = [number for number, truth in enumerate(truths) if truth == manner]
        right = accuracy(scores[own], judge.classes, manner)
        diffusion = accuracy(errors[[number for number in own if number < len(few)]], jury.classes, manner)
        mistakes = Counter({name: count for (truth, name), count in wrong.items() if truth == manner})
        rows.append(
            {
                "class": manner,
                "n": right.n,
                "top_1": right.value,
                "standard_error": right.standard_error,
                "probability": float(scores[own, judge.classes.index(manner)].mean()),
                "diffusion_n": diffusion.n,
                "diffusion_top_1": diffusion.value,
                "taken_for": mistakes.most_common(1)[0][0] if mistakes else None,
            }
        )
    overall = accuracy(scores, judge.classes, truths)
    by_jury = accuracy(errors, jury.classes, truths[: len(few)])
    worst = wrong.most_common(1)
    return {
        "classifier": settings.model,
        "n": overall.n,
        "top_1": overall.value,
        "standard_error": overall.standard_error,
        "diffusion_n": by_jury.n,
        "diffusion_top_1": by_jury.value,
        "diffusion_standard_error": by_jury.standard_error,
        "worst_confusion": f"{worst[0][0][0]} for {worst[0][0][1]} ({worst[0][1]} times)" if worst else None,
        "rows": rows,
    }


CLASSIFIER = Experiment.in_one_piece("classifier", classifier, ClassifierSettings, checkpoints=whole_model)
