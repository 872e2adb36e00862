"""The rows of the purifiers' tables: which purifiers, run on what, and the means of their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from impress_ui.experiments.experiment import Record, Run, Unit, grouped, means_of
from impress_ui.experiments.pictures import in_batches, protected_at
from impress_ui.experiments.settings import ExperimentSettings
from impress_ui.jobs.compare import setting_of
from impress_ui.methods.batches import BATCH
from impress_ui.methods.purify import needs_model, purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.settings import ProtectSettings, PurifySettings

# The purifiers of the editing tables but IMPRESS, each over a range of its setting, so that its best is seen too.
CONTROLS: tuple[PurifySettings, ...] = (
    *(PurifySettings(method="learned", learned_passes=passes) for passes in (1, 2)),
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


def name_of(settings: PurifySettings) -> str:
    """The row's name: the method and the one setting that tells it from its neighbours."""
    return f"{settings.method} {setting_of(settings)}"


def units_in_batches(settings: ExperimentSettings, titles: Sequence[Mapping[str, Any]]) -> list[Unit]:
    """A unit for each title and photograph; the photographs of a batch are a group, since they are run together."""
    return [unit_of(title, name, settings) for title in titles for name in settings.names]


def unit_of(title: Mapping[str, Any], name: str, settings: ExperimentSettings) -> Unit:
    """The unit of a title and a photograph."""
    index = settings.names.index(name)
    return Unit({**title, "photograph": name}, f"{_words(title)} batch {index // BATCH}", {"index": index})


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
    names = settings.names[first : first + BATCH]

    def protect_batch() -> list[Image.Image]:
        run.log(f"{title}: protecting {len(names)} photographs")
        clean, budget = [run.original(name) for name in names], unit.key["budget"]
        return protected_at(budget, clean, settings, autoencoder, settings=protection, model=model)[0]

    protected = run.folder.pictures(f"{title} protected", protect_batch)
    pictures, seconds = {"none": protected[place]}, {"none": 0.0}
    for purifier in (*CONTROLS, FAST, *PAPER):
        subset = min(papers - first, len(names)) if purifier in PAPER else len(names)
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


def kept_picture(unit: Unit, run: Run, name: str) -> Image.Image | None:
    """What ``purified_at`` kept of a unit under a purifier's name."""
    batch = run.folder.kept_pictures(f"{unit.group} {'protected' if name == 'none' else name}")
    return batch[unit.facts["index"] % BATCH] if batch else None


def rows_of(records: Sequence[Record], titles: Sequence[str]) -> list[Record]:
    """Means with standard errors over the photographs, for each combination of the titles' columns.

    Once more over those photographs that the paper recipes ran on; a purifier has a row where it ran on all of them.
    """
    columns = [name for name in records[0] if name not in {*titles, "photograph", "prompt", "purifier", "seconds"}]
    slow, rows = {name_of(settings) for settings in PAPER}, []
    for values, ours in grouped(records, titles).items():
        everyone = {record["photograph"] for record in ours}
        few = {record["photograph"] for record in ours if record["purifier"] in slow}
        seconds = {name: np.mean([r["seconds"] for r in of]) for (name,), of in grouped(ours, ("purifier",)).items()}
        scopes = {"all": everyone, f"first {len(few)}": few} if 0 < len(few) < len(everyone) else {"all": everyone}
        for label, names in scopes.items():
            title = {**dict(zip(titles, values, strict=True)), "photographs": f"{label} ({len(names)})"}
            for row in means_of([record for record in ours if record["photograph"] in names], ("purifier",), columns):
                if row.pop("photographs") == len(names):
                    rows.append({**title, **row, "seconds": round(float(seconds[row["purifier"]]), 3)})
    return rows


def over_everything(rows: Sequence[Record], titles: Sequence[str]) -> dict[tuple[Any, ...], list[Record]]:
    """The rows over all photographs, for each combination of the titles' columns."""
    return grouped([row for row in rows if row["photographs"].startswith("all")], titles)


def _words(title: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in title.items())
