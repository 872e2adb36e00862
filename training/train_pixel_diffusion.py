"""Train a small diffusion model on pixels for the purifier ``pixel-diffusion``; none ships.

    bash training/fetch_photos.sh
    python -m training.train_pixel_diffusion --bfloat16    # into training/runs/pixel/export

DDPM (Ho et al., arXiv 2006.11239): a UNet2DModel of diffusers, without classes, that learns the noise of crops of the
training photographs, 64 pixels square. Goes on where it was ended when it is started again with the same ``--run``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.photos import Crops, held_out_batch
from training.state import keep, resume
from training.train_autoencoder import learning_rate

SIDE = 64
TIMES = 1000
# A purifier noises a picture to t = 0.3 T at the very most. Most times are drawn from the lower third, where the
# capacity of so small a network is wanted; the few from above it keep the model one that starts from noise, too.
LOWER_THIRD = 0.9
JUDGED = (20, 50, 100, 200)  # times of the validation


def new_model(widths: tuple[int, ...]) -> UNet2DModel:
    """A UNet on pictures (B, 3, 64, 64) in [-1, 1], with attention at the lowest resolution only."""
    plain = len(widths) - 1
    return UNet2DModel(
        sample_size=SIDE,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=widths,
        norm_num_groups=16,
        down_block_types=("DownBlock2D",) * plain + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * plain,
    )


def draw_times(batch: int, random: torch.Generator) -> Tensor:
    """Times (B,), of which ``LOWER_THIRD`` are below T / 3."""
    low = torch.rand(batch, generator=random) < LOWER_THIRD
    third = TIMES // 3
    below = torch.randint(0, third, (batch,), generator=random)
    return torch.where(low, below, torch.randint(third, TIMES, (batch,), generator=random))


def error(model: nn.Module, scheduler: DDPMScheduler, x: Tensor, times: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error of the prediction, the noise's or v's, a scalar."""
    noised = scheduler.add_noise(x, noise, times)
    v = scheduler.config.prediction_type == "v_prediction"
    aim = scheduler.get_velocity(x, noise, times) if v else noise
    return (model(noised, times).sample.float() - aim).square().mean()


class Validation:
    """The validation photographs' centres at 64 pixels, with noise of a fixed seed."""

    def __init__(self, scheduler: DDPMScheduler, device: str) -> None:
        self.scheduler, self.x = scheduler, held_out_batch("validation", SIDE).to(device)
        self.noise = torch.randn(self.x.shape, generator=torch.Generator().manual_seed(0)).to(device)

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> str:
        told = []
        for time_ in JUDGED:
            times = torch.full((len(self.x),), time_, device=self.x.device)
            loss = error(model, self.scheduler, self.x, times, self.noise)
            told.append(f"t {time_}: {loss.item():.4f}")
        return ", ".join(told)


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    scheduler = DDPMScheduler(num_train_timesteps=TIMES, prediction_type=args.prediction)
    model = new_model(tuple(args.widths)).to(device, memory_format=torch.channels_last)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(args.ema_decay))
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=1e-4)
    parts = {"model": model, "averaged": averaged, "optimiser": optimiser}
    start = resume(args.run, device, **parts)
    random = torch.Generator().manual_seed(args.seed + start)
    batches = Crops(args.photos, args.seed + start).batches(args.batch, SIDE)
    validation = Validation(scheduler, device)
    print(f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters, from step {start}", flush=True)
    began, losses = time.monotonic(), []
    for step in range(start + 1, args.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step - 1, args.steps, args.lr, warmup=100)
        x = next(batches)
        noise, times = torch.randn(x.shape, generator=random), draw_times(len(x), random)
        x, noise, times = x.to(device, memory_format=torch.channels_last), noise.to(device), times.to(device)
        with torch.autocast(device, torch.bfloat16, enabled=args.bfloat16):
            loss = error(model, scheduler, x, times, noise)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if torch.isfinite(nn.utils.clip_grad_norm_(model.parameters(), 1.0)):
            optimiser.step()
        averaged.update_parameters(model)
        losses.append(loss.item())
        if step % args.every and step != args.steps:
            continue
        seconds = (time.monotonic() - began) / (step - start)
        mean = sum(losses) / len(losses)
        print(f"step {step}: {mean:.4f}; {validation(averaged.module)}; {seconds:.2f} s a step", flush=True)
        losses.clear()
        keep(args.run, step, **parts)
        averaged.module.save_pretrained(args.export / "unet", safe_serialization=True)
        scheduler.save_pretrained(args.export / "scheduler")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path("training/data"), help="folder that fetch_photos.sh filled")
    parser.add_argument(
        "--run", type=Path, default=Path("training/runs/pixel"), help="where the resumable state is kept"
    )
    parser.add_argument(
        "--export", type=Path, default=Path("training/runs/pixel/export"), help="diffusers folder to write"
    )
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 96, 128], help="full resolution first")
    parser.add_argument("--prediction", choices=("epsilon", "v_prediction"), default="epsilon")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--ema-decay", type=float, default=0.99, help="of the averaged weights, which are exported")
    parser.add_argument("--every", type=int, default=200, help="steps between validations and checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bfloat16", action="store_true", help="autocast, where the processor is fast at it")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
