"""Does what was made on one autoencoder hold on another? Protect on A, purify with B, look with C.

A is also "none", a clean picture: what the purifiers do to any picture, protected or not. B is also "none".

Every figure of a row is C's: how far the picture's latent is from the original's in C's encoder (``latent``, over
||E_C(original)||), the share of the protected picture's own distance there that the purification leaves (``left``), and
mean((V_C(x) - x)^2). None of them needs a denoiser. The edit does, and a denoiser fits the latents of one autoencoder
alone: so it is made for C = embedded only, and stands as None in all other rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from torch import Tensor

from impress_ui.core.diffusion_model import DiffusionModel
from impress_ui.core.errors import UserError
from impress_ui.core.experiments.editing import edits_of
from impress_ui.core.grid import distances_to
from impress_ui.core.images import to_images, to_tensor
from impress_ui.core.metrics import lpips, measure, round_trip_error
from impress_ui.core.models import Autoencoder, load_autoencoder
from impress_ui.core.optimise import run_to_end
from impress_ui.core.protect import protect
from impress_ui.core.protections.registry import AUTOENCODER_ONLY
from impress_ui.core.purify import needs_model, purify
from impress_ui.core.stress_rows import NOTHING, share_left
from impress_ui.settings import EMBEDDED, JobSettings

NONE = "none"  # no protection, or no purifier

Figures = dict[str, float | None]


def load_all(checkpoints: Sequence[str], job: JobSettings) -> dict[str, Autoencoder]:
    """Autoencoders by short name, the embedded one first; all are kept in memory, whatever the cache keeps.

    Raises:
        UserError: no second checkpoint, one that cannot be loaded, or a method that needs more than an autoencoder.
    """
    if not set(checkpoints) - {EMBEDDED}:
        raise UserError("Transfer needs checkpoints beside the embedded one: name their folders by --checkpoints.")
    if job.protect.method not in AUTOENCODER_ONLY or needs_model(job.purify):
        raise UserError(
            "Transfer protects and purifies with autoencoders alone: "
            f"protect by {' or '.join(sorted(AUTOENCODER_ONLY))}, and purify by IMPRESS or a filter."
        )
    loaded: dict[str, Autoencoder] = {}
    for checkpoint in dict.fromkeys((EMBEDDED, *checkpoints)):
        run = job.updated(run={"checkpoint": checkpoint}).run
        loaded[short_name(checkpoint, loaded)] = load_autoencoder(run)
    return loaded


def short_name(checkpoint: str, taken: Mapping[str, object]) -> str:
    """The last part of a folder or an id, numbered where two are alike."""
    stem = Path(checkpoint).name or checkpoint
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)


def transfer_rows(
    original: Image.Image,
    protector: str,
    autoencoders: Mapping[str, Autoencoder],
    job: JobSettings,
    model: DiffusionModel | None,
    prompt: str,
) -> tuple[list[dict[str, object]], dict[str, Image.Image]]:
    """One picture protected on one autoencoder, purified with none and with each, and seen by each.

    Args:
        protector: a name in ``autoencoders``, or ``NONE``.
        model: the embedded diffusion model, for the edits; None leaves them out.

    Returns:
        Rows ``{"protect": A, "purify": B, "see": C, **figures}``, and the protected and purified pictures by name.
    """
    seed, first = job.run.seed, autoencoders.get(protector)
    protected: Tensor | None = to_tensor(original)
    if first is not None:
        protected = run_to_end(protect(to_tensor(original, first.device), job.protect, first, seed=seed)).result
    assert protected is not None
    pictures = {NONE: to_images(protected)[0]}
    for name, autoencoder in autoencoders.items():
        purified = run_to_end(purify(protected.to(autoencoder.device), job.purify, autoencoder, seed=seed)).result
        assert purified is not None
        pictures[name] = to_images(purified)[0]
    lost = {name: lpips(picture, original) for name, picture in pictures.items()}
    edit_ssim: dict[str, float | None] = dict.fromkeys(pictures)
    if model is not None:
        wanted = job.edit.model_copy(update={"prompt": prompt, "mode": "img2img"})
        edits = edits_of({"original": original, **pictures}, wanted, model, seed)
        edit_ssim = {name: measure(edits[name], edits["original"]).ssim for name in pictures}
    rows = []
    for viewer, autoencoder in autoencoders.items():
        distance = distances_to(original, autoencoder)
        reference = distance(pictures[NONE])
        for purifier, picture in pictures.items():
            latent = distance(picture)
            figures: Figures = {
                "latent": latent,
                "left": share_left(latent, reference, 0.0, NOTHING["latent"]),
                "round_trip_error": round_trip_error(to_tensor(picture, autoencoder.device), autoencoder).item(),
                "lpips": lost[purifier],
                "edit_ssim": edit_ssim[purifier] if viewer == EMBEDDED else None,
            }
            rows.append({"protect": protector, "purify": purifier, "see": viewer, **figures})
    return rows, pictures
