"""The command line's classification: pictures and folders in, verdicts and an accuracy out, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from impress_ui.cli.report import Report, log
from impress_ui.cli.runs import over_inputs
from impress_ui.measures.classifiers.clip import ClipClassifier, load_clip_classifier
from impress_ui.measures.classifiers.common import accuracy, class_index, ranking
from impress_ui.measures.classifiers.diffusion import DiffusionClassifier
from impress_ui.measures.classifiers.jury import load_diffusion_classifier
from impress_ui.models.autoencoder import pick_device
from impress_ui.pictures.images import open_picture, pictures_in
from impress_ui.pictures.sizes import centre_square
from impress_ui.settings import ClassifySettings, RunSettings

SHOWN = 3  # classes in a picture's line, where fewer answers are allowed


def classify_files(
    sources: Sequence[Path], settings: ClassifySettings, run: RunSettings, *, truth: str | None = None
) -> Report:
    """Every picture's likeliest classes and, where the true class is known, how often they hold it.

    Raises:
        UserError: pictures that are not there, a truth that is no class, a model that cannot be had. A picture that
            cannot be read is reported with its sentence, and the others are judged.
    """
    paths = [path for source in sources for path in pictures_in(source)]
    classifier = _classifier(settings, run)
    if truth is not None:
        class_index(classifier.classes, truth)
    images: list[Image.Image] = []

    def one(path: Path, _: object) -> Report:
        image = open_picture(path).image
        if isinstance(classifier, DiffusionClassifier):  # a CLIP has its own size
            image = centre_square(image, classifier.model.size)
        images.append(image)
        return {"input": str(path)}

    results = over_inputs([(path,) for path in paths], one, several=True)
    opened = [row for row in results if "error" not in row]
    if isinstance(classifier, DiffusionClassifier) and images:
        log(
            f"{len(images)} pictures, {len(classifier.classes)} classes: {classifier.passes} passes of the denoiser a "
            f"picture, about {len(images) * classifier.seconds(images[0]):.0f} s in all"
        )
    scores = classifier.scores(images)
    measured = "probability" if settings.method == "clip" else "score"
    shown = min(max(SHOWN, settings.top_k), len(classifier.classes))
    for result, verdict in zip(opened, ranking(scores, classifier.classes, shown), strict=True):
        result["ranking"] = [{"class": name, measured: value} for name, value in verdict.ranking]
        answers = [name for name, _ in verdict.ranking[: settings.top_k]]
        if truth is not None:
            result["right"] = truth in answers
        likely = ", ".join(name if measured == "score" else f"{name} {p:.3f}" for name, p in verdict.ranking)
        result["summary"] = f"{Path(result['input']).name}: {likely}"
    report = {
        "command": "classify",
        "settings": settings.model_dump(mode="json"),
        "checkpoint": run.checkpoint if settings.method == "diffusion" else None,
        "classes": list(classifier.classes),
        "results": results,
    }
    if truth is not None and opened:
        right = accuracy(scores, classifier.classes, truth, settings.top_k)
        report["accuracy"] = {
            "truth": truth,
            "top_k": right.top_k,
            "n": right.n,
            "value": right.value,
            "standard_error": right.standard_error,
            "summary": f"{truth} is among the first {right.top_k} of {len(classifier.classes)} classes in "
            f"{right.value:.3f} of {right.n} pictures (standard error {right.standard_error:.3f})",
        }
    return report


def _classifier(settings: ClassifySettings, run: RunSettings) -> ClipClassifier | DiffusionClassifier:
    if settings.method == "diffusion":
        return load_diffusion_classifier(settings, run)
    return load_clip_classifier(settings, pick_device(run.device))
