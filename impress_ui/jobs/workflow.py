"""The jobs as every door runs them: pictures and settings in, steps out, results measured and described.

The page, the command line and the API run jobs by these functions; what they measure besides, they ask `measures`.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

import impress_ui
from impress_ui.errors import UserError
from impress_ui.jobs.encoders import load_others, named_others
from impress_ui.jobs.unfinished import Unfinished
from impress_ui.measures.metrics import farthest, load_detector, measure, reconstruct_picture
from impress_ui.methods import universal, whole
from impress_ui.methods.attacks import glaze
from impress_ui.methods.edit import SampleStep, edit, generate
from impress_ui.methods.optimise import ShouldStop, Step, identity, never, within_mask
from impress_ui.methods.protect import kept_within, needs_model, protect, radii_of
from impress_ui.methods.purify import check_ready, planned_steps, purify
from impress_ui.methods.purify import needs_model as purifier_needs_model
from impress_ui.methods.trust import budget_found
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.models.fingerprint import fingerprint, fingerprint_of_loras
from impress_ui.pictures.images import LEVELS_PER_UNIT, Picture, quantise, to_tensor, working_size
from impress_ui.pictures.masks import mask_tensor
from impress_ui.settings import ClassifySettings, JobSettings
from impress_ui.settings.purify import parts_of


def protect_picture(
    image: Image.Image,
    job: JobSettings,
    *,
    mask: Image.Image | None = None,
    target: Image.Image | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """Steps of protecting one RGB picture, at its working size or, where ``run.whole`` says how, at its own.

    A target picture is resized to it. GLAZE's and Nightshade's first step comes after an edit that makes their target,
    which takes as long as any edit; with a target picture, that one is the target.
    """
    autoencoder = load_autoencoder(job.run)
    model = load_diffusion_model(job.run) if needs_model(job.protect, target=target is not None) else None
    others = load_others(job)
    x, laid = to_tensor(image, autoencoder.device), _mask(mask, image, job, autoencoder)
    aim = _like(target, image, autoencoder)
    style_of = functools.cache(lambda: farthest_style([seen(image, job)]))  # one for all pieces
    large = whole.exceeds(image.size, job.run)
    views = job.run.size if large and job.run.whole == "views" else 0

    # A piece is as smooth as it is in the whole picture.
    widths = radii_of(x, job.protect) if large and job.run.whole == "tiles" else None

    def attempt(piece: Tensor, cut: whole.Cut) -> Iterator[Step]:
        return protect(
            piece, job.protect, autoencoder, model=model, seed=job.run.seed, mask=_cut(cut, laid),
            target=None if aim is None else cut(aim), should_stop=should_stop, style_of=lambda _: style_of(),
            others=others, view_side=views, radii=None if widths is None else cut(widths),
        )  # fmt: skip

    if not large or views:
        return attempt(x, identity)
    keep = functools.partial(kept_within, x=x, settings=job.protect, mask=laid)
    if job.run.whole == "enlarged":
        return whole.enlarged(x, attempt, job.run.size, keep)
    store = Unfinished("protect", job, x, laid, aim, denoises=model is not None)
    return whole.over_tiles(
        x, attempt, job.run.size, keep, each=job.protect.steps, mask=laid, store=store, should_stop=should_stop
    )


def farthest_style(images: Sequence[Image.Image]) -> str:
    """The style for GLAZE where nobody named one: that of our painters' of which a CLIP finds the least in them."""
    from impress_ui.measures.classifiers.clip import load_clip_classifier  # open_clip takes a second to import

    return glaze.farthest_style(images, load_clip_classifier(ClassifySettings()))


def learn_universal(
    images: Sequence[Image.Image],
    job: JobSettings,
    *,
    target: Image.Image | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """Steps of learning one perturbation over square RGB pictures of one size; the result is the perturbation."""
    autoencoder = load_autoencoder(job.run)
    model = load_diffusion_model(job.run) if needs_model(job.protect, target=target is not None) else None
    return universal.learn(
        to_tensor(images, autoencoder.device), job.protect, autoencoder, model=model, seed=job.run.seed,
        target=_like(target, images[0], autoencoder), others=load_others(job), should_stop=should_stop,
    )  # fmt: skip


def apply_universal(
    image: Image.Image, perturbation: Path, job: JobSettings, *, mask: Image.Image | None = None
) -> Iterator[Step]:
    """The one step of adding a stored universal perturbation to an RGB picture, already at its working size."""
    autoencoder = load_autoencoder(job.run)
    change = universal.from_file(perturbation, autoencoder.device)
    x = universal.apply(change, to_tensor(image, autoencoder.device), _mask(mask, image, job, autoencoder))
    return iter([Step(0, 0, {}, x, x)])


def purify_picture(
    image: Image.Image, job: JobSettings, *, mask: Image.Image | None = None, should_stop: ShouldStop = never
) -> Iterator[Step]:
    """Steps of purifying one RGB picture, at its working size or, where ``run.whole`` says how, at its own."""
    autoencoder = load_autoencoder(job.run)
    model = load_diffusion_model(job.run) if purifier_needs_model(job.purify) else None
    x, laid = to_tensor(image, autoencoder.device), _mask(mask, image, job, autoencoder)

    def attempt(piece: Tensor, cut: whole.Cut) -> Iterator[Step]:
        return purify(
            piece, job.purify, autoencoder, model=model, seed=job.run.seed, mask=_cut(cut, laid),
            should_stop=should_stop,
        )  # fmt: skip

    parts = {part.method for part in parts_of(job.purify)}
    if not whole.exceeds(image.size, job.run) or parts == {"crop-resize"}:
        return attempt(x, identity)
    if "crop-resize" in parts:
        raise UserError(
            "Cropping moves what a picture shows, so a chain with it cannot be done at the picture's own size."
        )
    keep = within_mask(quantise, x, laid)
    if job.run.whole != "tiles":
        return whole.enlarged(x, attempt, job.run.size, keep)
    store = Unfinished("purify", job, x, laid, denoises=model is not None)
    return whole.over_tiles(
        x, attempt, job.run.size, keep, each=planned_steps(job.purify), mask=laid, store=store, should_stop=should_stop
    )


def check_purifier(job: JobSettings) -> None:
    """Refuse a purifier that cannot run with these settings, before what comes before it is computed.

    Raises:
        UserError: its reason.
    """
    check_ready([job.purify], load_autoencoder(job.run))


def seen(image: Image.Image, job: JobSettings) -> Image.Image:
    """What the model is shown of a picture at its own size: the picture at the working size, where it is larger."""
    size = working_size(image.size, job.run.size) if job.run.whole != "no" else image.size
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def reconstruct(image: Image.Image, job: JobSettings) -> Image.Image:
    """V(x) = D(E(x)): what the latent diffusion model sees of the picture."""
    return reconstruct_picture(image, load_autoencoder(job.run))


def edit_pictures(
    images: Sequence[Image.Image], job: JobSettings, *, mask: Image.Image | None = None, should_stop: ShouldStop = never
) -> Iterator[SampleStep]:
    """Steps of editing RGB pictures of one size together, with the same noise for each."""
    model = load_diffusion_model(job.run)
    return edit(list(images), job.edit, model, seed=job.run.seed, mask=mask, should_stop=should_stop)


def generate_pictures(job: JobSettings, *, should_stop: ShouldStop = never) -> Iterator[SampleStep]:
    """Steps of making pictures from text, from the seeds seed, seed + 1, ..."""
    return generate(job.generate, load_diffusion_model(job.run), seed=job.run.seed, should_stop=should_stop)


def edit_measures(edits: Mapping[str, Image.Image], reference: str, job: JobSettings) -> dict[str, dict[str, Any]]:
    """SSIM, PSNR, VIFp, LPIPS and more of each edit against the edit named ``reference``, which is left out.

    Where a CLIP is at hand (``clip_score.judge_for``): the edit's CLIP score, the reference's beside it (both None
    without a prompt), and the similarity of the two.
    """
    from impress_ui.measures.clip_score import (  # open_clip takes a second to import
        clip_score,
        clip_similarity,
        judge_for,
    )

    others = [name for name in edits if name != reference]
    measured = {name: measure(edits[name], edits[reference]).as_dict() for name in others}
    judge = judge_for(job.run.checkpoint) if others else None
    if judge is None:
        return measured
    features = judge.features(list(edits.values()))
    prompt = job.edit.prompt.strip()
    found = clip_score(features, prompt, judge).tolist() if prompt else [None] * len(edits)
    scores = dict(zip(edits, found, strict=True))
    likeness = clip_similarity(features, features[list(edits).index(reference)]).tolist()
    alike = dict(zip(edits, likeness, strict=True))
    return {
        name: {
            **measured[name],
            "clip_score": scores[name],
            "clip_score_of_reference": scores[reference],
            "clip_similarity": alike[name],
        }
        for name in others
    }


def measures_of(
    image: Image.Image,
    job: JobSettings,
    original: Image.Image | None = None,
    *,
    reconstruction: Image.Image | None = None,
) -> dict[str, Any]:
    """Measures of a picture against its own reconstruction, and against the original when there is one.

    Args:
        reconstruction: V(x), where the caller has it already.

    Returns:
        ``{"round_trip_error", "budget_found", "looks", "verdict", "against_reconstruction": {...},
        "against_original": {...}?}``; ``budget_found`` is the protection's, in grey levels, by what the learned
        purifier would take off, 0 where that is nothing; ``looks`` and ``verdict`` are None for a checkpoint whose
        detector has not been calibrated. A picture at its own size is measured as it is ``seen``; ``whole`` has its
        width, height and L-infinity distance then.
    """
    own_size = {"width": image.width, "height": image.height}
    whole_picture = {"whole": own_size} if seen(image, job).size != image.size else {}
    if whole_picture and original is not None:
        own_size["linf"] = farthest(image, original)
    image, original = seen(image, job), None if original is None else seen(original, job)
    autoencoder = load_autoencoder(job.run)
    if reconstruction is None:
        reconstruction = reconstruct_picture(image, autoencoder)
    own = measure(reconstruction, image)
    error = (own.rms / LEVELS_PER_UNIT) ** 2  # mean((V(x) - x)^2) in [-1, 1] units, with V(x) in 8 bits
    detector = load_detector(autoencoder)
    result: dict[str, Any] = {
        "round_trip_error": error,
        "budget_found": budget_found(to_tensor(image, autoencoder.device)).item(),
        "looks": detector.looks(error) if detector else None,
        "verdict": detector.verdict(error) if detector else None,
        "against_reconstruction": own.as_dict(),
    }
    if original is not None:
        result["against_original"] = measure(image, original).as_dict()
    return {**result, **whole_picture}


def describe_result(kind: str, job: JobSettings, **facts: Any) -> dict[str, Any]:
    """The metadata that a saved PNG carries: what made it, with which settings, seed, weights and versions.

    ``facts`` are what is known of this result besides, such as its measures.
    """
    parts = fingerprint(job.run.checkpoint)
    # Only a denoiser has had them.
    loras = {"loras": fingerprint_of_loras(job.run.lora)} if job.run.lora and "unet" in parts else {}
    return {
        "impress": impress_ui.__version__,
        "kind": kind,
        "settings": job.model_dump(mode="json"),
        "seed": job.run.seed,
        "checkpoint": {"name": job.run.checkpoint, "sha256": parts, **loras},
        **(named_others(job) if kind in ("protected", universal.KIND) else {}),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in ("torch", "diffusers", "transformers", "pillow")},
        },
        **facts,
    }


def same_size(image: Image.Image, other: Picture, what: str) -> None:
    """Refuse to compare pictures of different sizes.

    Raises:
        UserError: naming ``what`` the other picture is.
    """
    if image.size != other.image.size:
        raise UserError(
            f"The {what} is {other.image.width}x{other.image.height} but the picture is {image.width}x{image.height}; "
            "use pictures of one size."
        )


def _cut(cut: whole.Cut, mask: Tensor | None) -> Tensor | None:
    return None if mask is None else (cut(mask) > 0.5).float()


def _like(target: Image.Image | None, image: Image.Image, autoencoder: Autoencoder) -> Tensor | None:
    """A target picture at the size of the picture."""
    if target is None:
        return None
    return to_tensor(target.convert("RGB").resize(image.size, Image.Resampling.LANCZOS), autoencoder.device)


def _mask(mask: Image.Image | None, image: Image.Image, job: JobSettings, autoencoder: Autoencoder) -> Tensor | None:
    if mask is None:
        return None
    return mask_tensor(mask, image.size, autoencoder.device, inverted=job.run.invert_mask)
