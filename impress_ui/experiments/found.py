"""Does the size of what the learned purifier would take away tell protected pictures from others?

The threshold is the one at which one in a hundred of the validation split's untouched pictures is accused: clean ones,
JPEGs, and ones with a camera's noise, of every photograph there, however few are looked at then. The round trip's error
stands beside it with a threshold of the same kind. Beside what these thresholds accuse stands what the program calls
protected, by limits of its own that know no noise: the least that is told as found, and the detector's threshold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

from impress_ui.experiments.charts import Chart, Lines, Point
from impress_ui.experiments.detector import auc, errors_of, roc
from impress_ui.experiments.experiment import Experiment, Record, Run
from impress_ui.experiments.pictures import in_batches, parts_of
from impress_ui.experiments.settings import FoundSettings
from impress_ui.jobs.encoders import load_others
from impress_ui.jobs.workflow import farthest_style
from impress_ui.measures.metrics import load_detector
from impress_ui.methods.filters import through_format
from impress_ui.methods.protect import needs_model, protect
from impress_ui.methods.trust import LEAST_FOUND, found
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import JobSettings, ProtectSettings, RunSettings
from impress_ui.settings.recipes import QUICK_GLAZE

ACCUSED = 0.01  # share of the untouched pictures that the threshold may accuse
NOISE = 4  # deviation of the noisy ones, in grey levels


def as_jpeg(image: Image.Image) -> Image.Image:
    """The picture as a JPEG of quality 75 keeps it."""
    return to_images(through_format(to_tensor([image]), "JPEG", 75))[0]


def with_noise(image: Image.Image) -> Image.Image:
    """The picture with noise, the same for every picture of a size."""
    levels = np.asarray(image, dtype=float)
    noisy = levels + NOISE * np.random.default_rng(0).standard_normal(levels.shape)
    return Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))


UNTOUCHED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "clean": lambda image: image, "jpeg 75": as_jpeg, f"noise {NOISE}": with_noise,
}  # fmt: skip


def kinds(settings: FoundSettings) -> dict[str, ProtectSettings]:
    """The protections that are looked for, by name: the encoder attack at every budget, and others at the largest.

    GLAZE, whose budget is of another kind, has its form for two cores.
    """
    given = settings.protect.model_dump(exclude_unset=True)
    largest = max(settings.budgets)
    encoder = {
        f"photoguard-encoder {budget}": ProtectSettings(**{**given, "budget": budget}) for budget in settings.budgets
    }
    blinding: dict[str, Any] = {"adaptive": "consistency", "beta": settings.beta, "budget": largest}
    others = {
        method: ProtectSettings(**(QUICK_GLAZE if method == "glaze" else {"method": method, "budget": largest}))
        for method in settings.others
    }
    return {**encoder, f"adaptive, β {settings.beta:g}, {largest}": ProtectSettings(**{**given, **blinding}), **others}


def run_all(run: Run[FoundSettings]) -> Record:
    """Rates and AUC of both signs on the photographs of the split."""
    settings = run.settings
    autoencoder = load_autoencoder(settings.run)
    untouched = {
        split: {kind: list(map(change, squares(split, settings.run.size, count))) for kind, change in UNTOUCHED.items()}
        for split, count in (("validation", None), (settings.split, settings.photographs))
    }
    wanted = {name: (protection, settings.run) for name, protection in kinds(settings).items()}
    if settings.unseen:
        unseen = settings.job.protect.model_copy(update={"budget": max(settings.budgets)})
        elsewhere = settings.run.model_copy(update={"checkpoint": settings.unseen})
        wanted[f"photoguard-encoder {unseen.budget}, on another autoencoder"] = unseen, elsewhere
    protected = {}
    for name, (protection, on) in wanted.items():
        run.log(name)
        images = untouched[settings.split]["clean"]
        # Kept, since the whole experiment is one unit: a run that was killed goes on at the next protection.
        protected[name] = run.folder.pictures(name, partial(_protected, images, protection, on))
    rows, thresholds, curves = [], {}, {}
    detector = load_detector(autoencoder)
    signs = (("found", _found, LEAST_FOUND), ("round trip", errors_of, detector.threshold if detector else None))
    for sign, value_of, limit in signs:
        known = [value for images in untouched["validation"].values() for value in value_of(images, autoencoder)]
        threshold = thresholds[sign] = float(np.quantile(known, 1 - ACCUSED))
        values = {kind: value_of(images, autoencoder) for kind, images in untouched[settings.split].items()}
        negative = [value for each in values.values() for value in each]
        values |= {name: value_of(images, autoencoder) for name, images in protected.items()}
        curves[sign] = {name: roc(values[name], negative) for name in protected}
        rows += [
            {
                "sign": sign,
                "pictures": kind,
                "photographs": len(each),
                "median": float(np.median(each)),
                "accused": float(np.mean(np.array(each) > threshold)),
                "called": None if limit is None else float(np.mean(np.array(each) > limit)),
                "auc": None if kind in UNTOUCHED else auc(each, negative),
            }
            for kind, each in values.items()
        ]
    (run.folder.path.parent / "found_calibration.json").write_text(json.dumps(thresholds, indent=1) + "\n")
    return {"size": settings.run.size, "thresholds": thresholds, "rows": rows, "curves": curves}


def charts(settings: FoundSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """Each sign's ROC, a line for each protection, and one for all that are told without a mistake.

    None of a run of an earlier version, which kept no curves.
    """
    curves = records[0].get("curves", {})
    return [
        Lines(
            f"roc_{sign.replace(' ', '_')}", f"ROC by the {name}",
            "untouched pictures accused", "protected pictures told", roc_lines(curves[sign]), percent=True,
        )
        for sign, name in (("found", "change found"), ("round trip", "round-trip error"))
        if sign in curves
    ]  # fmt: skip


def roc_lines(curves: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, list[Point]]:
    """ROC curves by name as lines through their corners; those that pass by (0, 1) are one."""
    passing = [name for name, points in curves.items() if [0, 1] in map(list, points)]
    lines = {name: _corners(points) for name, points in curves.items() if name not in passing}
    if passing:
        lines["every other protection" if lines else "every protection"] = _corners([(0, 0), (0, 1), (1, 1)])
    return lines


def _corners(points: Sequence[Sequence[float]]) -> list[Point]:
    kept = [points[0]]
    for point, after in pairwise(points[1:]):
        if not (kept[-1][0] == point[0] == after[0] or kept[-1][1] == point[1] == after[1]):
            kept.append(point)
    return [(x, y, None) for x, y in (*kept, points[-1])]


def _protected(images: list[Image.Image], protection: ProtectSettings, run: RunSettings) -> list[Image.Image]:
    autoencoder = load_autoencoder(run)
    model = load_diffusion_model(run) if needs_model(protection, target=False) else None
    others = load_others(JobSettings(run=run, protect=protection))
    made = in_batches(
        images,
        lambda x: protect(
            x, protection, autoencoder, model=model, seed=run.seed, others=others,
            style_of=farthest_style,
        ),
        autoencoder,
    )  # fmt: skip
    return made[0]


def _checkpoints(settings: FoundSettings) -> dict[str, Sequence[str]]:
    jobs = [settings.job.model_copy(update={"protect": protection}) for protection in kinds(settings).values()]
    unseen = {settings.unseen: ("vae",)} if settings.unseen else {}
    return {**unseen, settings.run.checkpoint: parts_of(jobs)}


def _found(images: Sequence[Image.Image], autoencoder: Autoencoder) -> list[float]:
    return [found(to_tensor([image], autoencoder.device)).item() for image in images]


FOUND = Experiment.in_one_piece(
    "found", run_all, FoundSettings, charts=charts, checkpoints=_checkpoints, learned=lambda settings: True
)
