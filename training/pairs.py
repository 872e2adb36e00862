"""Pairs of pictures, as they were and protected, for the learned purifier; made by the project's own ``protect``.

    python -m training.pairs --count 80        # batches of 16, into training/runs/purifier/pairs

Each batch draws its method, budget, number of steps, target and autoencoder. Kept from training, so that the tables can
say what the purifier does to what it never saw: the SDS protections, every budget near 12, the ``kl`` autoencoder, the
artists, and the validation and test photographs.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from impress_ui.methods.learning import Pair
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import needs_model, protect
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.paths import ASSETS
from impress_ui.settings import Precision, ProtectSettings, RunSettings
from training.photos import Crops

SIDE, BATCH = 64, 16
BUDGETS = (2, 3, 4, 5, 6, 8, 10, 14, 16, 18, 20, 24, 28, 32)  # 12 and its neighbours are held out
# Drawn as often as they stand here; the encoder attacks are what the paper and its readers start from.
METHODS = ("photoguard-encoder",) * 6 + ("glaze",) * 2 + ("mist-fused", "mist-textural", "advdm")
PROMPTS = ("a painting", "a photo", "")


def seen_autoencoders(precision: Precision = "float32") -> list[Autoencoder]:
    """Those that training sees; ``kl`` is held out."""
    names = ("embedded", str(ASSETS / "autoencoders" / "narrow"))
    return [load_autoencoder(RunSettings(checkpoint=name, precision=precision)) for name in names]


def drawn(rng: random.Random) -> ProtectSettings:
    """A protection's settings, drawn."""
    method = rng.choice(METHODS)
    values: dict[str, Any] = {"method": method, "steps": rng.choice((6, 10, 15, 25, 40))}
    if method == "glaze":
        values |= {"perceptual_budget": rng.choice((0.02, 0.05, 0.1)), "cap": rng.choice((0, 8, 16, 24))}
        values["steps"] = rng.choice((15, 25, 40))
        return ProtectSettings(**values)
    values["budget"] = rng.choice(BUDGETS)
    values["step_size"] = max(0.5, values["budget"] * rng.choice((2.5, 4, 8)) / values["steps"])
    values["random_start"] = rng.random() < 0.7
    if method == "photoguard-encoder":
        values["target"] = rng.choice(("zero", "zero", "grey", "pattern", "image", "image"))
    if method == "advdm":
        values["attacked_prompt"] = rng.choice(PROMPTS)
    return ProtectSettings(**values)


def protected(
    x: Tensor, other: Tensor, settings: ProtectSettings, autoencoder: Autoencoder, model: DiffusionModel, seed: int
) -> Tensor:
    """x (B, 3, H, W), protected; ``other`` is where a targeted one pushes."""
    wants = settings.method == "glaze" or getattr(settings, "target", "") == "image"
    whole = model if needs_model(settings, target=wants) else None
    steps = protect(x, settings, autoencoder, model=whole, seed=seed, target=other if wants else None)
    made = run_to_end(steps).result
    assert made is not None
    return made


def to_bytes(x: Tensor) -> Tensor:
    """Grey levels, uint8, of pictures in [-1, 1]."""
    return ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).contiguous()


def make(folder: Path, photos: Path, count: int, seed: int, precision: Precision) -> None:
    """Batches number ``seed`` * 10,000 and on; a run that was ended goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    autoencoders, model = seen_autoencoders(precision), load_diffusion_model(RunSettings(precision=precision))
    rng, crops = random.Random(seed), Crops(photos, seed).batches(2 * BATCH, SIDE)
    began = time.monotonic()
    for number in range(seed * 10_000, seed * 10_000 + count):
        x, other = next(crops).split(BATCH)
        settings, autoencoder = drawn(rng), rng.choice(autoencoders)
        if (file := folder / f"{number}.safetensors").exists():
            continue
        made = protected(x, other, settings, autoencoder, model, number)
        new = file.with_suffix(".new")
        save_file({"clean": to_bytes(x), "protected": to_bytes(made)}, new)
        new.replace(file)
        largest = float((made - x).abs().max()) * 127.5
        print(
            f"{number}: {settings.method}, {settings.steps} steps, most {largest:.0f} levels, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )


def load(folder: Path) -> list[Pair]:
    """All pairs of a folder."""
    files = [load_file(file) for file in sorted(folder.glob("*.safetensors"))]
    if not files:
        raise SystemExit(f"No pairs in {folder}: run 'python -m training.pairs' first.")
    return [pair for file in files for pair in zip(file["clean"], file["protected"], strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path("training/data"))
    parser.add_argument("--folder", type=Path, default=Path("training/runs/purifier/pairs"))
    parser.add_argument("--count", type=int, default=80, help="batches")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true", help="where the processor is fast at it")
    args = parser.parse_args()
    make(args.folder, args.photos, args.count, args.seed, "bfloat16" if args.bfloat16 else "float32")


if __name__ == "__main__":
    main()
