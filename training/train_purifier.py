"""Train the learned purifier, ``assets/purifier``, from the pairs that ``training.pairs`` made.

    bash training/fetch_photos.sh
    python -m training.pairs --count 82
    python -m training.train_purifier --steps 2400
    (cd assets/purifier && sha256sum purifier.safetensors > SHA256SUMS)

Goes on where it was ended when it is started again with the same ``--run``; ``--init`` starts from an earlier export.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from impress_ui.methods.learning import UNTOUCHED, Draw, Training, latent_error
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.residual_unet import ResidualUNet, load_residual_unet, save_residual_unet
from impress_ui.paths import PURIFIER
from impress_ui.settings import ProtectSettings
from training.pairs import SIDE, load, seen_autoencoders
from training.photos import held_out_batch
from training.state import keep, resume

JUDGED = (16, 8, 4)  # budgets of the validation's encoder attack


class Validation:
    """Eight validation photographs at 128 pixels, protected by the encoder attack; what a network leaves of it."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        self.autoencoder, self.x = autoencoder, held_out_batch("validation", 128)[:8].to(autoencoder.device)
        self.protected = {budget: self._protected(budget) for budget in JUDGED}

    def _protected(self, budget: int) -> Tensor:
        made = run_to_end(protect(self.x, ProtectSettings(budget=budget), self.autoencoder, seed=1)).result
        assert made is not None
        return made

    @torch.no_grad()
    def __call__(self, network: torch.nn.Module) -> str:
        told = []
        for budget, given in self.protected.items():
            purified = (given - network(given)).clamp(-1, 1)
            left = latent_error(self.autoencoder, purified, self.x) / latent_error(self.autoencoder, given, self.x)
            decibels = 10 * torch.log10(4 / ((purified - self.x) ** 2).mean(dim=(1, 2, 3))).mean()
            told.append(f"{budget}: {left.mean():.1%} left, {decibels:.1f} dB")
        damage = latent_error(self.autoencoder, (self.x - network(self.x)).clamp(-1, 1), self.x).mean()
        return "; ".join([*told, f"clean moved {damage:.3f}"])


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pairs, autoencoders = load(args.pairs), seen_autoencoders("bfloat16" if args.bfloat16 else "float32")
    print(f"{len(pairs)} pairs", flush=True)
    network = (load_residual_unet(args.init) if args.init else ResidualUNet()).to(device).requires_grad_()
    network.to(memory_format=torch.channels_last)
    draw = Draw(pairs, args.batch, SIDE, args.seed, device, args.untouched)
    training = Training(network, draw, autoencoders, steps=args.steps, learning_rate=args.lr, seed=args.seed)
    parts = {"network": network, "averaged": training.averaged, "optimiser": training.optimiser}
    start = resume(args.run, device, **parts, schedule=training.schedule)
    draw.random.seed(args.seed + start)
    validation = Validation(seen_autoencoders()[0])
    began, losses = time.monotonic(), []
    for step in range(start + 1, args.steps + 1):
        with torch.autocast(device, torch.bfloat16, enabled=args.bfloat16):
            losses.append(training.step())
        if step % args.every and step != args.steps:
            continue
        means = ", ".join(f"{name} {sum(loss[name] for loss in losses) / len(losses):.4f}" for name in losses[0])
        seconds = (time.monotonic() - began) / (step - start)
        print(f"step {step}: {means}; {validation(training.averaged.module)}; {seconds:.2f} s a step", flush=True)
        losses.clear()
        keep(args.run, step, **parts, schedule=training.schedule)
        draw.pairs = load(args.pairs)  # more of them may be made meanwhile
        save_residual_unet(training.averaged.module, args.export)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=Path("training/runs/purifier/pairs"))
    parser.add_argument("--run", type=Path, default=Path("training/runs/purifier"))
    parser.add_argument("--export", type=Path, default=PURIFIER, help="the file of weights to write")
    parser.add_argument("--init", type=Path, help="weights to go on from")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--every", type=int, default=100, help="steps between validations and checkpoints")
    parser.add_argument("--untouched", type=float, default=UNTOUCHED, help="share of a batch without a protection")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true", help="autocast, where the processor is fast at it")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
