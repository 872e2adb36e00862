"""The rows of the purifiers' tables: which purifiers, run on what, and the means of their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from impress_ui.experiments.common import in_batches, protected_at
from impress_ui.experiments.experiment import Record, Run, Unit, mean_and_error
from impress_ui.experiments.settings import ExperimentSettings
from impress_ui.jobs.compare import setting_of
from impress_ui.methods.batches import BATCH
from impress_ui.methods.purify import needs_model, purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.pictures import photographs
from impress_ui.settings import ProtectSettings, PurifySettings

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
Figures = Mapping[str, float | None]


def name_of(settings: PurifySettings) -> str:
    """The row's name: the method and the one setting that tells it from its neighbours."""
    return f"{settings.method} {setting_of(settings)}"


def units_in_batches(settings: ExperimentSettings, titles: Sequence[Mapping[str, Any]]) -> list[Unit]:
    """A unit for each title and photograph; the photographs of a batch are a group, since they are run together."""
    names = photographs.names_of(settings.split)[: settings.photographs]
    return [
        Unit({**title, "photograph": name}, f"{_words(title)} batch {i // BATCH}", {"index": i})
        for title in titles
        for i, name in enumerate(names)
    ]


def purified_at(
    unit: Unit,
    run: Run,
    autoencoder: Autoencoder,
    papers: int,
    *,
    protection: ProtectSettings | None = None,
    model: DiffusionModel | None = None,
) -> tuple[dict[str, Image.Image], dict[str, float]]:
    """(pictures, seconds a picture) of a unit's photograph by name: no purifier, every control, IMPRESS, the paper's.

    Protection and purifiers run on the whole batch of the photograph, once; what is made is kept in the run's folder.

    Args:
        papers: on how many photographs of the split the paper recipes run too.
        protection: the settings' own without it; its budget is the unit's.
    """
    settings, index, title = run.settings, unit.facts["index"], unit.group
    first, place = index - index % BATCH, index % BATCH
    count = len(photographs.names_of(settings.split)[: settings.photographs][first : first + BATCH])

    def protect_batch() -> list[Image.Image]:
        run.log(f"{title}: protecting {count} photographs")
        clean = photographs.squares(settings.split, settings.run.size, first + count)[first:]
        budget = unit.key["budget"]
        return protected_at(budget, clean, settings.job, autoencoder, settings=protection, model=model)[0]

    protected = run.folder.pictures(f"{title} protected", protect_batch)
    pictures, seconds = {"none": protected[place]}, {"none": 0.0}
    for purifier, subset in [*((p, count) for p in (*CONTROLS, FAST)), *((p, papers - first) for p in PAPER)]:
        subset = min(subset, count)
        if place < subset:
            name = name_of(purifier)
            made, seconds[name] = _purified_batch(f"{title} {name}", protected[:subset], purifier, run, autoencoder)
            pictures[name] = made[place]
    return pictures, seconds


def _purified_batch(
    key: str, protected: list[Image.Image], purifier: PurifySettings, run: Run, autoencoder: Autoencoder
) -> tuple[list[Image.Image], float]:
    """(results, seconds a picture), kept under a key."""

    def make() -> list[Image.Image]:
        run.log(f"{key}: {len(protected)} photographs")
        model = load_diffusion_model(run.settings.run) if needs_model(purifier) else None
        results, spent = in_batches(
            protected, lambda x: purify(x, purifier, autoencoder, model=model, seed=run.settings.run.seed), autoencoder
        )
        # Before the pictures are kept: where they are, the seconds are too.
        run.folder.keep_values(f"{key} seconds", {"seconds": spent / len(protected)})
        return results

    results = run.folder.pictures(key, make)
    return results, (run.folder.kept_values(f"{key} seconds") or {})["seconds"]


def batch_pictures(unit: Unit, run: Run, name: str) -> list[Image.Image] | None:
    """What ``purified_at`` kept of a unit's batch under a purifier's name."""
    return run.folder.kept_pictures(f"{unit.group} {'protected' if name == 'none' else name}")


def rows_of(records: Sequence[Record], titles: Sequence[str]) -> list[Record]:
    """``mean_rows`` of the records of units, for each combination of the titles' columns."""
    about = {*titles, "photograph", "prompt", "purifier", "seconds"}
    groups: dict[tuple[Any, ...], dict[str, dict[str, Record]]] = {}
    for record in records:
        photos = groups.setdefault(tuple(record[title] for title in titles), {})
        photos.setdefault(record["photograph"], {})[record["purifier"]] = record
    rows = []
    for values, photos in groups.items():
        judged = [
            {name: {c: record[c] for c in record if c not in about} for name, record in photo.items()}
            for photo in photos.values()
        ]
        spent: dict[str, list[float]] = {}
        for photo in photos.values():
            for name, record in photo.items():
                spent.setdefault(name, []).append(record["seconds"])
        seconds = {name: sum(of_photos) / len(of_photos) for name, of_photos in spent.items()}
        rows += mean_rows(judged, seconds, dict(zip(titles, values, strict=True)))
    return rows


def mean_rows(judged: Sequence[Mapping[str, Figures]], seconds: Mapping[str, float], title: Record) -> list[Record]:
    """Means with standard errors over the photographs; once more over those that the paper recipes ran on.

    Args:
        judged: for each photograph, the figures of every purifier that ran on it.
        title: the first columns of every row.
    """
    rows = _means(judged, seconds, {**title, "photographs": f"all ({len(judged)})"})
    papers = [photo for photo in judged if any(name_of(settings) in photo for settings in PAPER)]
    if 0 < len(papers) < len(judged):
        rows += _means(papers, seconds, {**title, "photographs": f"first {len(papers)} ({len(papers)})"})
    return rows


def _means(judged: Sequence[Mapping[str, Figures]], seconds: Mapping[str, float], title: Record) -> list[Record]:
    rows = []
    for name in seconds:
        if not all(name in photo for photo in judged):
            continue
        row: Record = {**title, "purifier": name}
        for column in judged[0][name]:
            row[column], row[f"{column}_se"] = mean_and_error([photo[name][column] for photo in judged])
        rows.append({**row, "seconds": round(seconds[name], 3)})
    return rows


def _words(title: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in title.items())
