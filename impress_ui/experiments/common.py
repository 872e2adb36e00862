"""What every experiment shares: its plan, batches of pictures, and the statistics of errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from scipy.stats import mannwhitneyu
from torch import Tensor

from impress_ui.measures.metrics import round_trip_error
from impress_ui.methods.batches import over_batches
from impress_ui.methods.optimise import Step
from impress_ui.methods.protect import protect
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import Split
from impress_ui.settings import JobSettings, ProtectSettings

Report = dict[str, Any]

BUDGETS = (8, 16)


@dataclass(frozen=True)
class Assignment:
    """What to run an experiment on.

    ``photographs`` takes the first so many of the split (None: all); ``budgets`` are in grey levels (None: the
    experiment's own).
    """

    job: JobSettings
    output: Path
    split: Split
    photographs: int | None
    log: Callable[[str], None]
    budgets: tuple[int, ...] | None = None


def protected_at(
    budget: int,
    images: list[Image.Image],
    job: JobSettings,
    autoencoder: Autoencoder,
    *,
    settings: ProtectSettings | None = None,
    model: DiffusionModel | None = None,
) -> tuple[list[Image.Image], float]:
    """(pictures protected at a budget, seconds) with the given or the job's other settings, and the job's seed."""
    settings = (settings or job.protect).model_copy(update={"budget": budget})
    return in_batches(images, lambda x: protect(x, settings, autoencoder, model=model, seed=job.run.seed), autoencoder)


def in_batches(
    images: list[Image.Image], run: Callable[[Tensor], Iterator[Step]], autoencoder: Autoencoder
) -> tuple[list[Image.Image], float]:
    """(results, seconds) of a run over pictures in batches of one size."""
    results: list[Image.Image] = []
    began = time.monotonic()
    for _ in over_batches(images, results, lambda x, first: run(x), autoencoder.device):
        pass
    return results, time.monotonic() - began


def errors_of(images: list[Image.Image], autoencoder: Autoencoder) -> list[float]:
    """The round-trip error of each picture."""
    return [round_trip_error(to_tensor(image, autoencoder.device), autoencoder).item() for image in images]


def auc(positive: Iterable[float], negative: Iterable[float]) -> float:
    """Area under the ROC curve: the chance that a positive lies above a negative (Mann-Whitney's U)."""
    positive, negative = list(positive), list(negative)
    return float(mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative)))
