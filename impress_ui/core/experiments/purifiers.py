"""The rows of the purifiers' tables: which purifiers, run on what, and the means of their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from impress_ui.core.compare import setting_of
from impress_ui.core.diffusion_model import load_diffusion_model
from impress_ui.core.experiments.common import Plan, Report, in_batches
from impress_ui.core.models import Autoencoder
from impress_ui.core.purify import needs_model, purify
from impress_ui.settings import PurifySettings

# Every control over a range of its setting, so that it is also seen at its best one.
CONTROLS: tuple[PurifySettings, ...] = (
    PurifySettings(method="round-trip"),
    *(PurifySettings(method="jpeg", jpeg_quality=quality) for quality in (75, 60, 40, 25, 15)),
    *(PurifySettings(method="noise", noise_std=std) for std in (0.02, 0.05, 0.1)),
    *(PurifySettings(method="resize", resize_factor=factor) for factor in (0.75, 0.5, 0.35)),
    *(PurifySettings(method="total-variation", denoise_weight=weight) for weight in (0.03, 0.05, 0.08)),
    *(PurifySettings(method="non-local-means", denoise_weight=weight) for weight in (0.02, 0.03, 0.05, 0.08)),
    *(PurifySettings(method="blur", blur_sigma=sigma) for sigma in (0.7, 1.0, 1.5)),
    *(PurifySettings(method="median", median_radius=radius) for radius in (1, 2)),
    *(PurifySettings(method="bilateral", bilateral_colour=colour) for colour in (0.03, 0.05, 0.1)),
    *(PurifySettings(method="quantise", colours=colours) for colours in (16, 32, 256)),
    *(PurifySettings(method="crop-resize", crop_share=share) for share in (0.75, 0.9)),
    *(PurifySettings(method="sdedit", sdedit_strength=strength) for strength in (0.1, 0.2, 0.4)),
    *(PurifySettings(method="gridpure", grid_rounds=rounds) for rounds in (1, 4)),
)
FAST = PurifySettings()
PAPER = (PurifySettings(recipe="paper"), PurifySettings(recipe="paper-editing"))
Pictures = dict[str, list[Image.Image]]
Figures = Mapping[str, float | None]


def name_of(settings: PurifySettings) -> str:
    """The row's name: the method and the one setting that tells it from its neighbours."""
    return f"{settings.method} {setting_of(settings)}"


def purify_all(
    protected: list[Image.Image], plan: Plan, autoencoder: Autoencoder, title: str
) -> tuple[Pictures, dict[str, float]]:
    """(results, seconds a picture) by name: no purifier, every control, IMPRESS fast, the paper's on a subset."""
    seed, papers = plan.job.run.seed, min(plan.paper_photographs, len(protected))
    results: Pictures = {"none": protected}
    seconds = {"none": 0.0}
    for settings, subset in [*((p, len(protected)) for p in (*CONTROLS, FAST)), *((p, papers) for p in PAPER)]:
        if not subset:
            continue
        plan.log(f"{title}: {name_of(settings)}, {subset} photographs")
        model = load_diffusion_model(plan.job.run) if needs_model(settings) else None
        results[name_of(settings)], spent = in_batches(
            protected[:subset],
            lambda x, s=settings, m=model: purify(x, s, autoencoder, model=m, seed=seed),
            autoencoder,
        )
        seconds[name_of(settings)] = spent / subset
    return results, seconds


def mean_rows(
    judged: Sequence[Mapping[str, Figures]], seconds: Mapping[str, float], title: Report, papers: int
) -> list[Report]:
    """Means with standard errors over the photographs; once more over those that the paper recipes ran on.

    Args:
        judged: for each photograph, the figures of every purifier that ran on it.
        title: the first columns of every row.
    """
    rows = _means(judged, seconds, {**title, "photographs": f"all ({len(judged)})"})
    if 0 < papers < len(judged):
        rows += _means(judged[:papers], seconds, {**title, "photographs": f"first {papers} ({papers})"})
    return rows


def _means(judged: Sequence[Mapping[str, Figures]], seconds: Mapping[str, float], title: Report) -> list[Report]:
    rows = []
    for name in seconds:
        if not all(name in photo for photo in judged):
            continue
        row: Report = {**title, "purifier": name}
        for column in judged[0][name]:
            values = np.array([photo[name][column] for photo in judged if photo[name][column] is not None], dtype=float)
            row[column] = float(values.mean()) if len(values) else None
            row[f"{column}_se"] = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        rows.append({**row, "seconds": round(seconds[name], 3)})
    return rows
