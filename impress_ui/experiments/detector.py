"""Does the round-trip error tell protected pictures from clean ones?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from PIL import Image
from scipy.stats import mannwhitneyu

from impress_ui.experiments.experiment import Experiment, Record, Run
from impress_ui.experiments.pictures import protected_at
from impress_ui.experiments.settings import DetectorSettings
from impress_ui.measures.metrics import Detector, round_trip_error
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.pictures import photographs
from impress_ui.pictures.images import to_tensor


def detector(run: Run[DetectorSettings]) -> Record:
    """Threshold from the validation photographs, rates and AUC on the test photographs, whole pictures.

    Also writes ``detector_calibration.json``, which becomes the checkpoint's ``detector.json``.
    """
    settings, budgets = run.settings, run.settings.budgets
    autoencoder, size = load_autoencoder(settings.run), settings.run.size
    errors: dict[str, dict[int, list[float]]] = {}
    for split in ("validation", "test"):
        images = photographs.wholes(split, size, settings.photographs)
        errors[split] = {0: errors_of(images, autoencoder)}
        for budget in budgets:
            run.log(f"{split}: budget {budget}, {len(images)} photographs")
            # One by one: whole pictures are not all of one size.
            protected = [protected_at(budget, [image], settings, autoencoder)[0][0] for image in images]
            errors[split][budget] = errors_of(protected, autoencoder)
    clean = errors["validation"][0]
    threshold = best_threshold(clean, [error for budget in budgets for error in errors["validation"][budget]])
    test = errors["test"]
    result = Detector(
        threshold=threshold,
        clean_error=float(np.median(clean)),
        size=size,
        photographs=len(test[0]),
        false_positive_rate=_above(threshold, test[0]),
        true_positive_rate={str(budget): _above(threshold, test[budget]) for budget in budgets},
        auc={str(budget): auc(test[budget], test[0]) for budget in budgets},
    )
    (run.folder.path.parent / "detector_calibration.json").write_text(json.dumps(asdict(result), indent=1) + "\n")
    rows = [
        {
            "split": split,
            "budget": budget,
            "photographs": len(values),
            "median_error": float(np.median(values)),
            "ratio_to_clean": float(np.mean(values) / np.mean(by_budget[0])),
            "auc": auc(values, by_budget[0]) if budget else None,
            "called_protected": _above(threshold, values),
        }
        for split, by_budget in errors.items()
        for budget, values in by_budget.items()
    ]
    return {"size": size, "threshold": threshold, "rows": rows}


def errors_of(images: list[Image.Image], autoencoder: Autoencoder) -> list[float]:
    """The round-trip error of each picture."""
    return [round_trip_error(to_tensor(image, autoencoder.device), autoencoder).item() for image in images]


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Area under the ROC curve: the chance that a positive lies above a negative (Mann-Whitney's U)."""
    return float(mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative)))


def roc(positive: Sequence[float], negative: Sequence[float]) -> list[tuple[float, float]]:
    """The ROC curve: (share of the negatives, share of the positives) above each threshold, from (0, 0) to (1, 1)."""
    above, below = np.array(positive), np.array(negative)
    cuts = [np.inf, *np.unique([*positive, *negative])[::-1], -np.inf]
    return list(dict.fromkeys((float(np.mean(below > cut)), float(np.mean(above > cut))) for cut in cuts))


def best_threshold(clean: list[float], protected: list[float]) -> float:
    """The threshold of greatest balanced accuracy, halfway (geometrically) between the errors beside it."""
    values = np.sort(np.array(clean + protected))
    cuts = np.sqrt(values[1:] * values[:-1])
    accuracy = [_above(cut, protected) - _above(cut, clean) for cut in cuts]
    return float(cuts[int(np.argmax(accuracy))])


def _above(threshold: float, errors: list[float]) -> float:
    return float(np.mean(np.array(errors) > threshold))


DETECTOR = Experiment.in_one_piece("detector", detector, DetectorSettings)
