"""Measure every protection on two photographs, for docs/protections.md.

``PYTHONPATH=. python docs/measure_protections.py``: at 128 pixels, with the defaults but for ``FEWER``, minutes on two
idle cores; prints a table and draws docs/protections.webp, each protected picture above its edit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from impress_ui.jobs.workflow import farthest_style
from impress_ui.measures.metrics import measure
from impress_ui.methods.edit import edit
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.pictures.contact_sheet import contact_sheet
from impress_ui.pictures.images import LEVELS_PER_UNIT, quantise, to_images, to_tensor
from impress_ui.pictures.photographs import square
from impress_ui.settings import EditSettings, ProtectSettings, RunSettings
from impress_ui.settings.recipes import QUICK_GLAZE

PHOTOGRAPHS = ("mountain1", "city11")
SIDE, BUDGET = 128, 16
SHOWN = EditSettings(prompt="an oil painting of a mountain", strength=0.5)
FEWER = {
    "glaze": QUICK_GLAZE,
    "nightshade": {**QUICK_GLAZE, "method": "nightshade"},
    "photoguard-diffusion": {"steps": 24, "repetitions": 1, "attacked_steps": 2},
    "aspl": {"steps": 90},
}


def main() -> None:
    """Means over the photographs, a row each."""
    model = load_diffusion_model(RunSettings())
    originals = [square(name, "test", SIDE) for name in PHOTOGRAPHS]
    x = to_tensor(originals, model.device)
    with torch.no_grad():
        latents = model.autoencoder.encode(x)
    clean = _edited(originals, model)
    columns: dict[str, list[Image.Image]] = {"original": _column(originals, clean)}
    print("| protection | latent distance | LPIPS | SSIM | SSIM of the edit | seconds a picture |")
    print("|---|---|---|---|---|---|")

    def tell(name: str, result: Tensor, seconds: float) -> None:
        made = to_images(result)
        edits = _edited(made, model)
        with torch.no_grad():
            distance = (model.autoencoder.encode(result) - latents).flatten(1).norm(dim=1).mean().item()
        own = [measure(a, b) for a, b in zip(made, originals, strict=True)]
        after = [measure(a, b).ssim for a, b in zip(edits, clean, strict=True)]
        figures = (_mean([m.lpips for m in own]), _mean([m.ssim for m in own]), _mean(after))
        told = " | ".join(f"{figure:.3f}" for figure in figures)
        print(f"| {name} | {distance:.0f} | {told} | {seconds / len(x):.0f} |", flush=True)
        columns[name] = _column(made, edits)

    coin = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.5
    noise = torch.where(coin, -1.0, 1.0).to(x) * BUDGET / LEVELS_PER_UNIT
    tell(f"none: ±{BUDGET} at random", quantise((x + noise).clamp(-1, 1)), 0.0)
    for method in PROTECTIONS:
        settings = ProtectSettings(**{"method": method, **FEWER.get(method, {})})
        began = time.monotonic()
        steps = protect(x, settings, model.autoencoder, model=model, style_of=farthest_style)
        result = run_to_end(steps).result
        assert result is not None
        tell(method, result, time.monotonic() - began)
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    labels = [name.replace("photoguard-", "photoguard- ") for name in columns]  # too long for one line of a column
    contact_sheet(Path(__file__).parent / "protections.webp", labels, rows, width=SIDE)


def _edited(images: Sequence[Image.Image], model: DiffusionModel) -> list[Image.Image]:
    *_, last = edit(list(images), SHOWN, model, seed=0)
    assert last.results is not None
    return last.results


def _column(pictures: Sequence[Image.Image], edits: Sequence[Image.Image]) -> list[Image.Image]:
    return [image for pair in zip(pictures, edits, strict=True) for image in pair]


def _mean(values: Sequence[float | None]) -> float:
    return sum(value or 0.0 for value in values) / len(values)


if __name__ == "__main__":
    main()
