"""Train the hardened encoder, ``assets/hardened``: one that reads a protected picture nearly as if it were not.

    bash training/fetch_photos.sh
    python -m training.train_hardened --bfloat16 --steps 3000
    (cd assets/hardened && sha256sum encoder.safetensors > SHA256SUMS)

What somebody who imitates or edits may do to the model instead of to the picture: E' starts as the embedded encoder E
and learns E(x) from x + d, where d is drawn anew for every batch, half of the time an attack on E (as a protector would
make it, who does not know E') and half of the time one on E' itself. E'(x) is to stay E(x), so that denoiser and
decoder go on as they are. The idea is that of robust encoders by adversarial fine-tuning (RobustCLIP, arXiv 2402.12336:
no labels, the clean model's own output is the goal); the attack is plain PGD (arXiv 1706.06083).

Goes on where it was ended when it is started again with the same ``--run``.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.models.hardened import difference
from impress_ui.models.vgg_autoencoder import VGGAutoencoder
from impress_ui.paths import HARDENED
from impress_ui.settings import ProtectSettings, RunSettings
from training.photos import Crops, held_out_batch
from training.state import keep, resume
from training.train_autoencoder import learning_rate

SIDE = 64
BUDGETS = (2, 4, 6, 8, 12, 16, 20, 24, 32)  # grey levels of 255
JUDGED = (16, 8, 4)
CLEAN = 0.25  # share of each batch that nothing was added to
DEVIATION = 0.01  # weight of the posterior's logarithmic variance
PGD_STEPS = (2, 4)  # fewest and most; enough for a random start to end at the budget


def encode(model: nn.Module, x: Tensor) -> Tensor:
    """Posterior means (B, 4, h, w), float32."""
    return model.encode(x).latent_dist.mode().float()


def distance(z: Tensor, goal: Tensor, clean: Tensor) -> Tensor:
    """Squared distance to the goal, relative to the clean latent's length, (B,)."""
    return (z - goal).square().sum(dim=(1, 2, 3)) / clean.square().sum(dim=(1, 2, 3)).clamp_min(1e-6)


def attacked(model: nn.Module, x: Tensor, clean: Tensor, kind: str, budgets: Tensor, steps: int) -> Tensor:
    """x (B, 3, H, W) + d, |d| <= budgets (B, 1, 1, 1): signed steps away from E(x), or towards what ``kind`` says."""
    goal = {"away": clean, "zero": torch.zeros_like(clean), "other": clean.roll(1, 0)}[kind]
    sign = 1 if kind == "away" else -1
    change = (2 * torch.rand_like(x) - 1) * budgets
    for _ in range(steps):
        change.requires_grad_()
        (gradient,) = torch.autograd.grad(distance(encode(model, x + change), goal, clean).sum(), change)
        change = (change.detach() + sign * gradient.sign() * budgets * 2 / steps).clamp(-budgets, budgets)
        change = (x + change).clamp(-1, 1) - x
    return (x + change).detach()


def drawn(model: nn.Module, frozen: nn.Module, x: Tensor, clean: Tensor, rng: random.Random) -> Tensor:
    """A batch as the encoder meets it: most of it attacked, on E or on E', away from E(x) or towards something else."""
    budgets = torch.tensor([rng.choice(BUDGETS) for _ in x]).view(-1, 1, 1, 1) / 127.5
    untouched = round(CLEAN * len(x))
    budgets[:untouched] = 0
    victim = model if rng.random() < 0.5 else frozen
    return attacked(victim, x, clean, rng.choice(("away", "zero", "other")), budgets, rng.randint(*PGD_STEPS))


class Validation:
    """Eight validation photographs at 128 pixels under the encoder attack on E; what E' still sees of it."""

    def __init__(self) -> None:
        self.autoencoder = load_autoencoder(RunSettings())
        self.x = held_out_batch("validation", 128)[:8].to(self.autoencoder.device)
        self.clean = self.autoencoder.encode(self.x)
        self.given = {budget: self._protected(budget) for budget in JUDGED}

    def _protected(self, budget: int) -> Tensor:
        made = run_to_end(protect(self.x, ProtectSettings(budget=budget), self.autoencoder, seed=1)).result
        assert made is not None
        return made

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> str:
        told = []
        for budget, given in self.given.items():
            before = distance(self.autoencoder.encode(given), self.clean, self.clean).sqrt()
            left = (distance(encode(model, given), self.clean, self.clean).sqrt() / before).mean()
            told.append(f"{budget}: {left:.1%} left")
        damage = distance(encode(model, self.x), self.clean, self.clean).sqrt().mean()
        return "; ".join([*told, f"clean moved {damage:.3f}"])


def export(model: nn.Module, frozen: nn.Module, file: Path) -> None:
    """What the encoder has learnt; the decoder stays the checkpoint's own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    save_file(difference(model.state_dict(), frozen.state_dict()), new)
    new.replace(file)


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    validation = Validation()
    frozen = validation.autoencoder.module.to(device)
    model = VGGAutoencoder.from_config(frozen.config).to(device, memory_format=torch.channels_last)
    model.load_state_dict(frozen.state_dict())
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    weights = [*model.backbone.parameters(), *model.head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=args.lr, betas=(0.9, 0.98), weight_decay=1e-4)
    start = resume(args.run, device, model=model, averaged=averaged, optimiser=optimiser)
    rng = random.Random(args.seed + start)
    batches = Crops(args.photos, args.seed + start).batches(args.batch, SIDE)
    print(f"step {start}: {validation(averaged.module)}", flush=True)
    began, losses = time.monotonic(), []
    for step in range(start, args.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.lr, warmup=100)
        x = next(batches).to(device, memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16, enabled=args.bfloat16):
            with torch.no_grad():
                goal = frozen.encode(x).latent_dist
                clean = goal.mean.float()
            given = drawn(model, frozen, x, clean, rng)
            seen = model.encode(given).latent_dist
            kept = distance(encode(model, x), clean, clean).mean()
            # Pipelines draw from the posterior, so its deviation is to stay what it was too.
            deviation = (seen.logvar - goal.logvar).float().square().mean()
            loss = distance(seen.mean.float(), clean, clean).mean() + args.clean * kept + DEVIATION * deviation
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        averaged.update_parameters(model)
        losses.append(loss.item())
        if (step + 1) % args.every == 0 or step + 1 == args.steps:
            seconds = (time.monotonic() - began) / (step + 1 - start)
            mean = sum(losses) / len(losses)
            print(
                f"step {step + 1}: loss {mean:.4f}; {validation(averaged.module)}; {seconds:.2f} s a step", flush=True
            )
            losses.clear()
            keep(args.run, step + 1, model=model, averaged=averaged, optimiser=optimiser)
            export(averaged.module, frozen, args.export)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path("training/data"))
    parser.add_argument("--run", type=Path, default=Path("training/runs/hardened"))
    parser.add_argument("--export", type=Path, default=HARDENED)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--clean", type=float, default=0.5, help="weight of staying as it is on untouched pictures")
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--bfloat16", action="store_true", help="autocast, where the processor is fast at it")
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
