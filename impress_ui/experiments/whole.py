"""What a picture's own size costs a protection: tiles, an enlarged change and views, as a model sees the result.

A model sees a picture reduced to its working size, or a piece of it that was cut out. Each result is asked for both,
as it is and after what happens to pictures on the way, and purified at its own size.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from impress_ui.experiments.experiment import Experiment, Record, Run, Unit, mean_and_error
from impress_ui.experiments.settings import WholeSettings
from impress_ui.jobs import workflow
from impress_ui.measures.metrics import encode_picture, latent_distance, lpips, measure
from impress_ui.methods.filters import through_format
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.whole import tiles_of
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.paths import PHOTOS
from impress_ui.pictures.images import open_picture, to_images, to_tensor
from impress_ui.settings import JobSettings

WAYS = ("reduced", "enlarged", "tiles", "views")


def _jpeg(image: Image.Image) -> Image.Image:
    return to_images(through_format(to_tensor(image), "JPEG", 75))[0]


def _half(image: Image.Image) -> Image.Image:
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    return small.resize(image.size, Image.Resampling.LANCZOS)


ON_THE_WAY: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image, "JPEG 75": _jpeg, "half size and back": _half,
}  # fmt: skip


def units(settings: WholeSettings) -> list[Unit]:
    """Each photograph in each way."""
    return [Unit({"photograph": name, "way": way}, f"{name}, {way}") for name in settings.names for way in WAYS]


def run(unit: Unit, run: Run[WholeSettings]) -> list[Record]:
    """How far the latents of what is seen are moved, after each thing on the way and each purification."""
    name, way = unit.key["photograph"], unit.key["way"]
    job = run.settings.job.updated(run={"whole": "no" if way == "reduced" else way})
    autoencoder = load_autoencoder(job.run)
    original = open_picture(PHOTOS / run.settings.split / f"{name}.jpg").image
    if way == "reduced":  # the strength that a change at the working size has: the yardstick
        original = workflow.seen(original, job.updated(run={"whole": "views"}))
    began = time.monotonic()
    protected = to_images(run_to_end(workflow.protect_picture(original, job)).result)[0]
    seconds = time.monotonic() - began
    results = {kind: change(protected) for kind, change in ON_THE_WAY.items()}
    for purification in ("enlarged", "tiles") if way != "reduced" else ("no",):
        own = job.updated(run={"whole": purification})
        results[f"purified, {purification}"] = to_images(run_to_end(workflow.purify_picture(protected, own)).result)[0]
    about = {"photograph": name, "way": way, "seconds": seconds, "lpips": lpips(protected, original),
             "ssim": measure(protected, original).ssim}  # fmt: skip
    return [
        {**about, "then": kind, **{seen: _moved(image, original, cut, autoencoder) for seen, cut in _seen(job).items()}}
        for kind, image in results.items()
    ]


def _seen(job: JobSettings) -> dict[str, Callable[[Image.Image], Sequence[Image.Image]]]:
    """What a model is shown of a picture: all of it, reduced; and pieces of it."""
    side = job.run.size

    def pieces(image: Image.Image) -> list[Image.Image]:
        tiles = tiles_of(image.size, side)
        return [image.crop((t.left, t.top, t.left + t.width, t.top + t.height)) for t in tiles]

    whole = job.updated(run={"whole": "views"})
    return {"moved_whole": lambda image: [workflow.seen(image, whole)], "moved_pieces": pieces}


def _moved(
    image: Image.Image, original: Image.Image, cut: Callable[[Image.Image], Sequence[Image.Image]],
    autoencoder: Autoencoder,
) -> float:  # fmt: skip
    """The distance of the latents of what is seen of two pictures, relative to the original's length; the mean."""
    pairs = zip(cut(image), cut(original), strict=True)
    return float(np.mean([latent_distance(*(encode_picture(seen, autoencoder) for seen in pair)) for pair in pairs]))


def table(settings: WholeSettings, records: list[Record]) -> list[Record]:
    """A row each way and each thing that happens then, averaged over photographs."""
    rows: list[Record] = []
    for way in WAYS:
        ours = [record for record in records if record["way"] == way]
        for then in dict.fromkeys(record["then"] for record in ours):
            those = [record for record in ours if record["then"] == then]
            row: dict[str, Any] = {"way": way, "then": then, "photographs": len(those)}
            for figure in ("moved_whole", "moved_pieces", "lpips", "ssim", "seconds"):
                row[figure], error = mean_and_error([record[figure] for record in those])
                if figure.startswith("moved"):
                    row[f"{figure}_error"] = error
            rows.append(row)
    return rows


WHOLE = Experiment(
    "whole", (WholeSettings.__doc__ or "").strip(), WholeSettings, units, run, table, extent=("photographs",)
)
