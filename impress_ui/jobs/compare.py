"""Pictures of one scene side by side in figures: the original, the protected, the purified, and the controls.

A purification is never shown without what it must beat: ``compare`` runs the controls on the same protected
picture, and measures every row alike.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from impress_ui.jobs.workflow import measures_of, purify_picture
from impress_ui.measures.metrics import latent_distance, look_at, ssim
from impress_ui.methods.optimise import ShouldStop, never, run_to_end
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.pictures.images import to_images
from impress_ui.settings import CONTROLS, KNOBS, JobSettings, PurifySettings, words_of


@dataclass(frozen=True)
class Row:
    """One picture's figures.

    ``measures`` is what ``workflow.measures_of`` gives and, when the original is known, ``latent_distance``
    (||E(x) - E(original)|| over ||E(original)||) and ``reconstruction_ssim`` (SSIM of V(x) and V(original)).
    """

    name: str
    image: Image.Image
    reconstruction: Image.Image
    measures: dict[str, Any]
    setting: str = ""
    seconds: float | None = None
    control: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The row without its pictures, as plain data."""
        return {
            "name": self.name,
            "setting": self.setting,
            "seconds": self.seconds,
            "control": self.control,
            **self.measures,
        }


def compare(
    pictures: Mapping[str, Image.Image],
    job: JobSettings,
    *,
    original: Image.Image | None = None,
    controls_on: Image.Image | None = None,
    mask: Image.Image | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[Row]:
    """A row for each of the named pictures, in order, then one for each control.

    Args:
        original: what the pictures are measured against; without it a row knows only its own round trip.
        controls_on: the protected picture that the controls purify; None leaves them out.
        should_stop: asked before each control.
    """
    autoencoder = load_autoencoder(job.run)
    reference = None if original is None else look_at(original, autoencoder)
    for name, image in pictures.items():
        yield _row(name, image, job, autoencoder, original, reference)
    if controls_on is None:
        return
    for method in CONTROLS:
        if should_stop():
            return
        control = job.updated(purify={"method": method})
        began = time.monotonic()
        result = run_to_end(purify_picture(controls_on, control, mask=mask)).result
        assert result is not None
        seconds = time.monotonic() - began
        yield _row(
            method, to_images(result)[0], job, autoencoder, original, reference,
            setting=setting_of(control.purify), seconds=seconds, control=True,
        )  # fmt: skip


def setting_of(purify: PurifySettings) -> str:
    """The settings that a purifier has, in words; IMPRESS's recipe and steps; a chain's steps."""
    if purify.method == "impress":
        return f"{purify.recipe}, {purify.steps} steps"
    if purify.method == "chain":
        return words_of(purify)
    values = {name: getattr(purify, name) for name in KNOBS[purify.method]}
    told = {name: value if isinstance(value, str) else f"{value:g}" for name, value in values.items()}
    return ", ".join(f"{_noun(name)} {value}" for name, value in told.items() if value)


def _noun(field: str) -> str:
    *_, noun = PurifySettings.describe(field)["label"].lower().split()
    return noun


def _row(
    name: str,
    image: Image.Image,
    job: JobSettings,
    autoencoder: Autoencoder,
    original: Image.Image | None,
    reference: tuple[Tensor, Image.Image] | None,
    **facts: Any,
) -> Row:
    latent, reconstruction = reference if reference and image is original else look_at(image, autoencoder)
    measures = measures_of(image, job, original, reconstruction=reconstruction)
    if reference is not None:
        clean_latent, clean_reconstruction = reference
        measures["latent_distance"] = latent_distance(latent, clean_latent)
        measures["reconstruction_ssim"] = float(ssim(np.asarray(reconstruction), np.asarray(clean_reconstruction)))
    return Row(name, image, reconstruction, measures, **facts)
