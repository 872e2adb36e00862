"""The paper's section 5.4: does a protection hold that was made against IMPRESS?

Rows: a clean picture (what the purifier alone does to it), the protection as it is, and its adaptive forms: with the
consistency term, or IMPRESS's whole loss, at several weights beta, and unrolled. Columns: how strong the protection is
before and after the purification, in the encoder (``latent``: ||E(x) - E(original)|| over ||E(original)||) and in the
edit (SSIM against the clean picture's edit), what it costs the picture, and what gives it away (round-trip error).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from impress_ui.core.diffusion_model import DiffusionModel
from impress_ui.core.experiments.editing import edits_of
from impress_ui.core.grid import distances_to
from impress_ui.core.images import to_images, to_tensor
from impress_ui.core.metrics import lpips, measure, round_trip_error
from impress_ui.core.optimise import run_to_end
from impress_ui.core.protect import protect
from impress_ui.core.purify import purify
from impress_ui.core.stress_rows import NOTHING, share_left
from impress_ui.recipes import QUICK_GLAZE
from impress_ui.settings import EditSettings, JobSettings, ProtectSettings

BETAS = (30.0, 100.0, 300.0, 1000.0, 3000.0)
METHODS = ("photoguard-encoder",)
CLEAN, PLAIN = "clean", "none"
# Terms that beta weighs; the unrolled form has none.
WEIGHED = ("consistency", "loss")

Figures = dict[str, float | None]


def variants(method: str, job: JobSettings, betas: Sequence[float] = BETAS) -> dict[str, ProtectSettings | None]:
    """Row name -> the protection's settings; None for the clean row.

    The job's own settings are kept where they are this method's; GLAZE otherwise runs in the form made for two cores.
    """
    if method == job.protect.method:
        base: dict[str, Any] = job.protect.model_dump(exclude_unset=True)
    else:
        base = QUICK_GLAZE if method == "glaze" else {}
    changes: dict[str, dict[str, Any]] = {PLAIN: {"adaptive": "none"}}
    for term in WEIGHED:
        changes |= {f"{term} β {beta:g}": {"adaptive": term, "beta": beta} for beta in betas}
    changes["unrolled"] = {"adaptive": "unrolled"}
    rows = {name: ProtectSettings.model_validate({**base, "method": method, **c}) for name, c in changes.items()}
    return {CLEAN: None, **rows}


def facts_of(settings: ProtectSettings | None) -> dict[str, Any]:
    """The columns that say which form a row is: the adaptive term, and its weight where it has one."""
    if settings is None:
        return {"adaptive": CLEAN, "beta": None}
    return {"adaptive": settings.adaptive, "beta": settings.beta if settings.adaptive in WEIGHED else None}


def strength_of_form(
    original: Image.Image,
    settings: ProtectSettings | None,
    job: JobSettings,
    model: DiffusionModel,
    prompt: str,
) -> tuple[Figures, dict[str, Image.Image]]:
    """One picture under one form of the protection: its figures, and the pictures that they were taken from.

    Args:
        original: a clean RGB picture at its working size.
        settings: the form; None leaves the picture clean.
        job: its ``purify`` is what the protection has to stand, its ``edit`` but for the prompt the edit.

    Returns:
        ``left`` is ``latent_after / latent_before``, None where nothing was moved. The pictures are ``protected``,
        ``purified``, and the edits of all three as ``edit: ...``.
    """
    autoencoder, seed = model.autoencoder, job.run.seed
    x = to_tensor(original, autoencoder.device)
    if settings is not None:
        x = _result(run_to_end(protect(x, settings, autoencoder, model=model, seed=seed)))
    purified = _result(run_to_end(purify(x, job.purify, autoencoder, model=model, seed=seed)))
    pictures = {"original": original, "protected": to_images(x)[0], "purified": to_images(purified)[0]}
    wanted: EditSettings = job.edit.model_copy(update={"prompt": prompt, "mode": "img2img"})
    edits = edits_of(pictures, wanted, model, seed)
    distance = distances_to(original, autoencoder)
    before, after = distance(pictures["protected"]), distance(pictures["purified"])
    own = measure(pictures["purified"], original)
    figures: Figures = {
        "latent_before": before,
        "latent_after": after,
        "left": share_left(after, before, 0.0, NOTHING["latent"]),
        "edit_ssim_before": measure(edits["protected"], edits["original"]).ssim,
        "edit_ssim_after": measure(edits["purified"], edits["original"]).ssim,
        "lpips": lpips(pictures["protected"], original),
        "lpips_purified": own.lpips,
        "round_trip_error": round_trip_error(x, autoencoder).item(),
    }
    return figures, {**pictures, **{f"edit: {name}": made for name, made in edits.items()}}


def _result(step):
    assert step.result is not None
    return step.result
