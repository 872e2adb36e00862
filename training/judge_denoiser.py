"""Look at what the embedded denoiser has learnt, and whether it copies its training pictures.

    python -m training.judge_denoiser --data training/runs/paintings --output docs
    python -m training.judge_denoiser --styles-only --output docs    # without the training set

Writes ``samples.webp`` (8 subjects in 9 styles, one seed) and ``neighbours.webp`` (the samples nearest to a training
picture, beside it), and prints one JSON object. The distance is L2 between latents averaged over 4x4 cells, so that
it sees the composition and not the grain; its yardstick is how near the validation pictures, which no training saw,
come to a training picture of their style. ``style_agreement`` is the share of the samples in which the micro CLIP,
which the denoiser's training had no part in, finds the style that was asked for, among the nine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from impress_ui.measures.classifiers.clip import load_clip_classifier
from impress_ui.methods.edit import generate
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.pictures.contact_sheet import contact_sheet
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.settings import ClassifySettings, GenerateSettings, RunSettings
from training.captions import canonical
from training.paintings import ALL_STYLES, SIDE, Pictures

SUBJECTS = ("mountain", "city", "sea", "canyon", "forest", "fields", "snow", "dune")
PAIRS = 8


def sample_sheet(model: DiffusionModel, seed: int, steps: int) -> dict[tuple[str, str], Image.Image]:
    """One picture for every subject and style, all from one seed."""
    made = {}
    for subject in SUBJECTS:
        for style in ALL_STYLES:
            asked = GenerateSettings(
                prompt=canonical(subject, style), count=1, width=SIDE, height=SIDE, sampling_steps=steps
            )
            *_, last = generate(asked, model, seed=seed)
            assert last.results is not None
            made[subject, style] = last.results[0]
    return made


def style_agreement(made: Mapping[tuple[str, str], Image.Image]) -> dict[str, float]:
    """Of the samples of each style, and of all, the share that the micro CLIP takes for that style."""
    judge = load_clip_classifier(ClassifySettings(classes=ALL_STYLES))
    found = [judge.classes[best] for best in judge.scores(list(made.values())).argmax(dim=1).tolist()]
    right = [(style, guess == style) for (_, style), guess in zip(made, found, strict=True)]
    shares = {name: mean(hit for style, hit in right if style == name) for name in ALL_STYLES}
    return {"all": mean(hit for _, hit in right), **shares}


def composition(latents: Tensor) -> Tensor:
    """(N, D): scaled latents (N, 4, 32, 32) averaged over cells of 4 x 4."""
    return F.avg_pool2d(latents.float(), 4).flatten(1)


def nearest(queries: Tensor, styles: list[str], pictures: Pictures) -> tuple[Tensor, Tensor]:
    """(distance, index) of each query's nearest training picture of its style."""
    known = composition(pictures.latents)
    distances = torch.cdist(composition(queries), known)
    for row, style in enumerate(styles):
        distances[row, [other != style for other in pictures.styles]] = torch.inf
    return distances.min(dim=1)


@torch.no_grad()
def judge(args: argparse.Namespace) -> dict[str, object]:
    model = load_diffusion_model(RunSettings(checkpoint=args.checkpoint))
    made = sample_sheet(model, args.seed, args.steps)
    args.output.mkdir(parents=True, exist_ok=True)
    rows = [[made[subject, style] for style in ALL_STYLES] for subject in SUBJECTS]
    contact_sheet(args.output / "samples.webp", ALL_STYLES, rows, width=SIDE, names=SUBJECTS)

    report: dict[str, object] = {"samples": len(made), "seed": args.seed, "style_agreement": style_agreement(made)}
    if args.styles_only:
        return report
    train, validation = Pictures.load(args.data / "train.pt"), Pictures.load(args.data / "val.pt")
    autoencoder = model.autoencoder
    latents = autoencoder.to_scaled(autoencoder.encode(to_tensor(list(made.values()))))
    near, index = nearest(latents, [style for _, style in made], train)
    yardstick, _ = nearest(validation.latents, validation.styles, train)
    pairs = []
    for row in near.argsort()[: 2 * PAIRS].tolist():
        latent = train.latents[index[row]].float()[None]
        pairs.append([list(made.values())[row], to_images(autoencoder.decode(autoencoder.to_unscaled(latent)))[0]])
    sheet = [left + right for left, right in zip(pairs[:PAIRS], pairs[PAIRS:], strict=True)]
    contact_sheet(args.output / "neighbours.webp", ["sample", "nearest"] * 2, sheet, width=SIDE)
    return {
        **report,
        "nearest_distance": {"median": near.median().item(), "minimum": near.min().item()},
        "yardstick": {"median": yardstick.median().item(), "minimum": yardstick.min().item()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--data", type=Path, default=Path("training/runs/paintings"), help="the training set's latents")
    parser.add_argument("--output", type=Path, default=Path("docs"))
    parser.add_argument("--styles-only", action="store_true", help="leave the comparison with the training set out")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    print(json.dumps(judge(parser.parse_args()), indent=1))


if __name__ == "__main__":
    main()
