"""Train the embedded autoencoder, ``assets/micro-ldm/vae``.

    bash training/fetch_photos.sh
    python -m training.train_autoencoder --photos training/data --steps 9000 --export assets/micro-ldm/vae

Runs on a GPU when there is one and resumes from ``--run`` when started again with the same arguments.
L1 + LPIPS(AlexNet) + a light KL term; the VGG16 backbone stays frozen for the first steps, until the
decoder has settled, and then learns at a lower rate, which raises fidelity and steerability alike.
``--architecture kl`` trains diffusers' ``AutoencoderKL`` from scratch instead, which has no such backbone.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from impress_ui.models.perceptual import load_perceptual
from impress_ui.models.vgg_autoencoder import VGGAutoencoder
from impress_ui.paths import LPIPS_WEIGHTS
from training.photos import Crops, held_out_batch
from training.state import keep, resume

GROUPS = 8  # of AutoencoderKL's normalisation; its widths are multiples of it


def new_kl(widths: tuple[int, ...], trained: Path | None = None) -> AutoencoderKL:
    """Diffusers' ``AutoencoderKL`` of these widths (full resolution first), new or from a folder."""
    if trained:
        return AutoencoderKL.from_pretrained(trained, torch_dtype=torch.float32)
    stages = len(widths)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * stages,
        up_block_types=("UpDecoderBlock2D",) * stages,
        block_out_channels=widths,
        latent_channels=4,
        norm_num_groups=GROUPS,
        sample_size=128,
        force_upcast=False,
    )


def new_vgg(widths: tuple[int, ...], trained: Path | None = None, kept: float = 0.0) -> VGGAutoencoder:
    """An autoencoder whose backbone holds ImageNet's VGG16.

    Args:
        widths: of a new decoder, full resolution first.
        trained: folder of an earlier one to go on from; None for new weights.
        kept: share of the earlier backbone in the new one, the rest is ImageNet's. Training the backbone
            raises fidelity but makes it less steerable; a mixture lies between the two.
    """
    if trained:
        model = VGGAutoencoder.from_pretrained(trained, torch_dtype=torch.float32)
    else:
        model = VGGAutoencoder(block_out_channels=widths)
    weights = load_file(LPIPS_WEIGHTS / "vgg.safetensors")
    convolutions = [module for module in model.backbone.modules() if isinstance(module, nn.Conv2d)]
    # LPIPS cuts VGG16 into slices but keeps its layer numbers, so sorting by number restores the order.
    names = sorted(
        {name.rsplit(".", 1)[0] for name in weights if name.startswith("net.")}, key=lambda n: int(n.split(".")[-1])
    )
    for module, name in zip(convolutions, names, strict=False):
        module.weight.data.lerp_(weights[f"{name}.weight"].float(), 1 - kept)
        module.bias.data.lerp_(weights[f"{name}.bias"].float(), 1 - kept)
    return model


def learning_rate(step: int, steps: int, peak: float, warmup: int = 200) -> float:
    """Linear warm-up, then cosine to a hundredth of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


@torch.no_grad()
def validate(model: nn.Module, batch: Tensor) -> tuple[float, float]:
    """Mean (PSNR in dB, LPIPS-AlexNet) of V(x) over a batch in [-1, 1]."""
    out = torch.cat([model(part).sample.clamp(-1, 1) for part in batch.split(4)])
    mse = ((out - batch) ** 2).mean(dim=(1, 2, 3))
    lpips = load_perceptual("alex", str(batch.device))
    return (10 * torch.log10(4 / mse)).mean().item(), lpips(out, batch).mean().item()


@torch.no_grad()
def latent_deviation(model: VGGAutoencoder | AutoencoderKL, crops: Tensor) -> float:
    """Standard deviation of the posterior means over a batch; its reciprocal is the scaling factor."""
    return model.encode(crops).latent_dist.mode().std().item()


def export(model: VGGAutoencoder | AutoencoderKL, folder: Path, crops: Tensor) -> None:
    """Save as a diffusers folder in float16, the scaling factor set from the measured deviation."""
    options = {name: value for name, value in model.config.items() if not name.startswith("_")}
    half = type(model)(**{**options, "scaling_factor": round(1 / latent_deviation(model, crops), 5)})
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(folder, safe_serialization=True)


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    widths = tuple(args.widths)
    model = new_kl(widths, args.init) if args.architecture == "kl" else new_vgg(widths, args.init, args.backbone_kept)
    model = model.to(device, memory_format=torch.channels_last)
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(args.ema_decay))
    lpips = load_perceptual("alex", device)
    backbone = list(model.backbone.parameters()) if isinstance(model, VGGAutoencoder) else []
    known = {id(parameter) for parameter in backbone}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in known]
    optimiser = torch.optim.AdamW(
        [{"params": rest, "peak": args.lr}, {"params": backbone, "peak": args.lr * args.backbone_ratio}],
        lr=args.lr,
        betas=(0.9, 0.98),
        weight_decay=1e-4,
    )
    start = resume(args.run, device, model=model, ema=ema, optimiser=optimiser)
    crops = Crops(args.photos, args.seed + start)
    validation = held_out_batch("validation", 128).to(device)
    small, large = crops.batches(args.batch, 64), crops.batches(max(1, args.batch // 4), 128)
    sample = torch.cat([next(large) for _ in range(8)]).to(device)
    began, losses = time.monotonic(), []
    for step in range(start, args.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, args.steps, group["peak"])
        for parameter in backbone:
            parameter.requires_grad_(step >= args.freeze)
        # The last fifth trains on larger crops, nearer to the sizes that the app works at.
        x = next(large if step > 0.8 * args.steps else small).to(device, memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16, enabled=args.bfloat16):
            posterior = model.encode(x).latent_dist
            out = model.decode(posterior.sample()).sample
            perceptual = lpips(out.clamp(-1, 1), x).mean()
        out = out.float()
        kl = 0.5 * (posterior.mean.float() ** 2 + posterior.var.float() - 1 - posterior.logvar.float()).mean()
        pixel = (out - x).abs().mean()
        loss = pixel + args.lpips * perceptual + args.kl * kl
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(norm):
            optimiser.step()
        ema.update_parameters(model)
        losses.append(pixel.item())
        if (step + 1) % args.every == 0 or step + 1 == args.steps:
            psnr, distance = validate(ema.module, validation)
            rate = (step + 1 - start) / (time.monotonic() - began)
            print(
                f"step {step + 1} l1 {sum(losses) / len(losses):.4f} lpips {perceptual.item():.4f} kl {kl.item():.2f} "
                f"val psnr {psnr:.2f} lpips {distance:.4f} steps/s {rate:.2f}",
                flush=True,
            )
            losses.clear()
            keep(args.run, step + 1, model=model, ema=ema, optimiser=optimiser)
            export(ema.module, args.export, sample)
    export(ema.module, args.export, sample)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path("training/data"), help="folder that fetch_photos.sh filled")
    parser.add_argument("--run", type=Path, default=Path("training/runs/vae"), help="where the resumable state is kept")
    parser.add_argument(
        "--export", type=Path, default=Path("training/runs/vae/export"), help="diffusers folder to write"
    )
    parser.add_argument("--architecture", choices=("vgg", "kl"), default="vgg")
    parser.add_argument("--widths", type=int, nargs="+", default=[48, 96, 160], help="decoder's, full resolution first")
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--freeze", type=int, default=600, help="steps before the backbone learns too")
    parser.add_argument("--init", type=Path, help="an exported autoencoder to go on from")
    parser.add_argument(
        "--backbone-kept", type=float, default=0.0, help="share of its backbone kept against ImageNet's"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=6e-4)
    parser.add_argument("--backbone-ratio", type=float, default=0.12, help="the backbone's share of the learning rate")
    parser.add_argument("--lpips", type=float, default=0.2, help="weight of LPIPS against L1")
    parser.add_argument("--kl", type=float, default=3e-5)
    parser.add_argument("--ema-decay", type=float, default=0.999, help="of the averaged weights, which are exported")
    parser.add_argument("--every", type=int, default=250, help="steps between validations and checkpoints")
    parser.add_argument("--bfloat16", action="store_true", help="autocast, where the processor is fast at it")
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
