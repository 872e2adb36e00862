"""The command line's fine-tuning of the learned purifier on pairs that somebody made with a tool of her own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from impress_ui.cli.interruption import interruption, stop_on_interrupt
from impress_ui.cli.outputs import told
from impress_ui.cli.places import forced
from impress_ui.cli.report import Report
from impress_ui.cli.runs import tell
from impress_ui.errors import UserError
from impress_ui.methods.learning import Draw, Pair, Training, latent_error
from impress_ui.methods.optimise import Step
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.residual_unet import ResidualUNet, load_residual_unet, save_residual_unet
from impress_ui.paths import PURIFIER
from impress_ui.pictures.files import make_folder
from impress_ui.pictures.images import gathered, open_picture, to_tensor
from impress_ui.settings import RunSettings
from impress_ui.settings.learn import LearnSettings

MIDDLE = 384  # pixels


def train_files(clean: Path, protected: Path, output: Path, settings: LearnSettings, run: RunSettings) -> Report:
    """Fine-tune on the pictures of two folders that have the same names, and save the weights.

    Raises:
        UserError: no pairs, pairs of different sizes or too small, or no place to save to.
    """
    began = time.monotonic()
    _claim(output)
    pairs, left_out = read_pairs(clean, protected, settings.side)
    autoencoder = load_autoencoder(run)
    network = ResidualUNet() if settings.scratch else load_residual_unet(PURIFIER)
    network = network.to(autoencoder.device).requires_grad_()
    before = errors_of(network, pairs, autoencoder)
    torch.manual_seed(run.seed)
    draw = Draw(pairs, settings.batch, settings.side, run.seed, autoencoder.device)
    training = Training(
        network, draw, [autoencoder], steps=settings.steps, learning_rate=settings.learning_rate, seed=run.seed
    )
    losses: list[dict[str, float]] = []
    with stop_on_interrupt() as should_stop:
        while len(losses) < settings.steps and not should_stop():
            losses.append(training.step())
            tell("learn", Step(len(losses), settings.steps, {}, torch.empty(0)), ended=len(losses) == settings.steps)
        if should_stop():
            interruption.at = f"step {len(losses)} of {settings.steps}"
    after = errors_of(training.averaged.module, pairs, autoencoder)
    save_residual_unet(training.averaged.module, output)
    shares = [errors["purified"] / before["given"] for errors in (before, after)]
    summary = (
        f"{output}: it leaves {shares[1]:.0%} of what {len(pairs)} pairs differ by in the latent (before, "
        f"{shares[0]:.0%}), on these pairs, which it has seen"
    )
    return {
        "command": "train-purifier",
        "output": str(output),
        "pairs": len(pairs),
        "steps": len(losses),
        "losses": losses,
        "latent_error": {"protected": before["given"], "before": before["purified"], "after": after["purified"]},
        "left_out": left_out,
        "settings": {**settings.model_dump(mode="json"), "run": run.model_dump(mode="json")},
        "seconds": round(time.monotonic() - began, 3),
        "summary": summary,
    }


def read_pairs(clean: Path, protected: Path, side: int) -> tuple[list[Pair], dict[str, str]]:
    """The pairs of two folders by their files' names without ending, and what has no partner.

    Raises:
        UserError: there is no pair; one differs in size, or is smaller than a crop.
    """
    found = [gathered(folder) for folder in (clean, protected)]
    for folder in found:
        stems = [file.stem for file in folder.files]
        if twice := next((stem for stem in stems if stems.count(stem) > 1), ""):
            raise UserError(f"Two pictures of one folder are named {twice}; give each pair a name of its own.")
    wanted, given = ({file.stem: file for file in folder.files} for folder in found)
    names = sorted(set(given) & set(wanted))
    if not names:
        raise UserError(
            f"No picture of {clean.name} has one of the same name in {protected.name}; name each pair alike."
        )
    pairs = []
    for name in names:
        parts = [open_picture(files[name]).image for files in (wanted, given)]
        if parts[0].size != parts[1].size:
            sizes = " and ".join(f"{part.width}x{part.height}" for part in parts)
            raise UserError(f"The pair {name} differs in size ({sizes}); give both pictures as they were saved.")
        if min(parts[0].size) < side:
            raise UserError(f"The pair {name} is smaller than a crop of {side} pixels; choose --side smaller.")
        levels = [((to_tensor([part])[0] + 1) * 127.5).round().to(torch.uint8) for part in parts]
        pairs.append((levels[0], levels[1]))
    alone = {file.name: "no partner" for name, file in {**given, **wanted}.items() if name not in names}
    return pairs, {**found[0].left_out, **found[1].left_out, **alone}


@torch.no_grad()
def errors_of(network: torch.nn.Module, pairs: Sequence[Pair], autoencoder: Autoencoder) -> dict[str, float]:
    """The mean distance in the latent of the given pictures and of the purified ones, as shares of its length.

    Of the middles alone, since a camera's picture would not fit into memory.
    """
    found: dict[str, list[Tensor]] = {"given": [], "purified": []}
    for clean, given in (tuple(map(_middle, pair)) for pair in pairs):
        reference, x = (part[None].float().to(autoencoder.device) / 127.5 - 1 for part in (clean, given))
        found["given"].append(latent_error(autoencoder, x, reference))
        found["purified"].append(latent_error(autoencoder, (x - network(x)).clamp(-1, 1), reference))
    return {name: torch.cat(errors).mean().item() for name, errors in found.items()}


def _middle(levels: Tensor) -> Tensor:
    top, left = (max(0, (side - MIDDLE) // 2) for side in levels.shape[-2:])
    return levels[:, top : top + MIDDLE, left : left + MIDDLE]


def _claim(output: Path) -> None:
    if output.suffix != ".safetensors":
        raise UserError(f"{output.name} is to hold weights; give --output a name that ends in .safetensors.")
    with told(output):
        make_folder(output.parent, output.name)
        if output.exists() and not forced.get():
            raise UserError(f"{output} is there already; give --output another place, or add --force.")
