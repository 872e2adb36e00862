"""The autoencoder's fidelity, how far a protection steers it, and its speed."""

from __future__ import annotations

import time

import numpy as np
from PIL import Image

from impress_ui.experiments.detector import auc, errors_of
from impress_ui.experiments.experiment import Experiment, Record, Run
from impress_ui.experiments.pictures import protected_at
from impress_ui.experiments.settings import AutoencoderSettings
from impress_ui.measures.metrics import measure, reconstruct_picture
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.pictures import photographs
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import PurifySettings

SIDES = (128, 256)
BUDGET = 16


def autoencoder(run: Run[AutoencoderSettings]) -> Record:
    """PSNR, SSIM, LPIPS of V(x) at 128 and 256, the ratio of round-trip errors at budget 16, seconds a step."""
    settings, rows = run.settings, []
    model = load_autoencoder(settings.run)
    for side in SIDES:
        run.log(f"{side} pixels")
        clean = photographs.squares(settings.split, side, settings.photographs)
        fidelity = [measure(reconstruct_picture(image, model), image) for image in clean]
        protected, seconds = protected_at(BUDGET, clean, settings, model)
        errors, clean_errors = errors_of(protected, model), errors_of(clean, model)
        rows.append(
            {
                "side": side,
                "photographs": len(clean),
                "psnr": float(np.mean([m.psnr for m in fidelity])),
                "ssim": float(np.mean([m.ssim for m in fidelity])),
                "lpips": float(np.mean([m.lpips for m in fidelity])),
                "clean_error": float(np.mean(clean_errors)),
                "protected_error": float(np.mean(errors)),
                "ratio": float(np.mean(errors) / np.mean(clean_errors)),
                "auc": auc(errors, clean_errors),
                "protect_seconds": seconds / len(clean),
                "paper_step_seconds": _step_seconds(clean[0], PurifySettings(recipe="paper"), model),
                "fast_step_seconds": _step_seconds(clean[0], PurifySettings(), model),
            }
        )
    return {"budget": BUDGET, "rows": rows}


def _step_seconds(image: Image.Image, settings: PurifySettings, model: Autoencoder, steps: int = 8) -> float:
    """Median seconds between the steps of a short run on one picture."""
    moments = []
    for _ in purify(to_tensor(image, model.device), settings.model_copy(update={"steps": steps}), model):
        moments.append(time.perf_counter())
    return float(np.median(np.diff(moments)[1:-1]))  # without the first step's warm-up and the last one's lack of one


AUTOENCODER = Experiment.in_one_piece("autoencoder", autoencoder, AutoencoderSettings)
