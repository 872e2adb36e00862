"""Teach the embedded denoiser every artist, by LoRA: the jury of the diffusion classifier. Writes ``assets/jury``.

    bash training/fetch_photos.sh
    python -m training.train_jury --bfloat16 --steps 1500

A diffusion classifier can only choose between classes that its model knows, and the denoiser that ships knows none of
the artists: it must not, for the style experiment to teach them to it. This adapter is for judging alone. Its pictures
are the training landscapes in every manner, its captions those of the denoiser's and the artists'; it goes on from
``--run`` when started again.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from impress_ui.art.artists import ARTISTS, Work
from impress_ui.art.subjects import SUBJECTS, subject_of
from impress_ui.measures.classifiers.common import CLASSES
from impress_ui.measures.classifiers.jury import prompt_of
from impress_ui.measures.classifiers.renderings import in_manner
from impress_ui.methods.mimic import PROGRESS, FineTuning
from impress_ui.models.adapters import ADAPTER
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.paths import JURY
from impress_ui.settings import MimicSettings, RunSettings
from training.captions import canonical
from training.paintings import square_of
from training.photos import training_files

VIEWS = (128, 168)  # short sides of the landscapes that a square is cut out of
SAVE_EVERY = 100


def lessons(folder: Path, seed: int) -> list[Work]:
    """Every training landscape in two views, each in every artist's manner and in three of the denoiser's own.

    Half of the captions leave the subject out, as the classifier's prompts do.
    """
    rng, made = random.Random(seed), []
    own = [manner for manner in CLASSES if manner not in ARTISTS]
    for path in training_files(folder)[0]:
        with Image.open(path) as file:
            image = file.convert("RGB")
        subject = subject_of(path.stem)
        for short_side in VIEWS:
            piece = square_of(image, short_side, rng)
            for manner in (*ARTISTS, *rng.sample(own, 3)):
                painted = Image.fromarray(in_manner(manner, np.ascontiguousarray(piece), rng.randrange(2**31)))
                named = f"{SUBJECTS[subject][0]} by {manner}" if manner in ARTISTS else canonical(subject, manner)
                made.append(Work(painted, rng.choice((named, prompt_of(manner))), subject, path.stem))
    return made


def train(args: argparse.Namespace) -> None:
    """Fine-tune with the very loop that the app fine-tunes with."""
    model = load_diffusion_model(RunSettings(precision="bfloat16" if args.bfloat16 else "float32"))
    works = lessons(args.photos, args.seed)
    print(f"{len(works)} pictures", flush=True)
    settings = MimicSettings(
        steps=args.steps, batch=args.batch, rank=args.rank, learning_rate=args.lr, flip=False, preview_every=0
    )
    tuning = FineTuning(model, works, settings, seed=args.seed)
    if (args.run / PROGRESS).exists():
        tuning.resume(args.run)
    began, recent = time.monotonic(), []
    for step in tuning.run():
        recent.append(step.loss_values()["denoising error"])
        if step.index % SAVE_EVERY == 0 or step.index == step.steps:
            tuning.save(args.run)
            mean = sum(recent) / len(recent)
            print(f"step {step.index}: loss {mean:.4f}, {time.monotonic() - began:.0f} s", flush=True)
            recent = []
    args.export.mkdir(parents=True, exist_ok=True)
    half = {name: value.half() for name, value in load_file(args.run / ADAPTER).items()}
    with safe_open(args.run / ADAPTER, framework="pt") as saved:  # its metadata holds the adapter's configuration
        save_file(half, args.export / ADAPTER, metadata=saved.metadata())


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the diffusion classifier's jury.")
    parser.add_argument("--photos", type=Path, default=Path("training/data"))
    parser.add_argument("--run", type=Path, default=Path("training/runs/jury"))
    parser.add_argument("--export", type=Path, default=JURY)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
