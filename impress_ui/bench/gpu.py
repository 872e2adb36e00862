"""A GPU at the sizes that people have: seconds a step and peak memory, with random weights of the published sizes.

What is timed: the encoder attack, IMPRESS by the paper's recipe and by ours, and a denoising step of an edit of one
picture under guidance. Once with all of the device's memory, and once with all but 8 GiB of it taken.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from impress_ui.bench.clock import stepping, time_in_turn
from impress_ui.bench.memory import MIB
from impress_ui.bench.plan import Plan, Report
from impress_ui.errors import UserError
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import DTYPES, Autoencoder, peak_memory
from impress_ui.models.frozen import spare_inputs
from impress_ui.models.memory import forget_peak, free_memory
from impress_ui.models.operations import blank_conditions
from impress_ui.models.shortage import is_out_of_memory
from impress_ui.settings import ProtectSettings, PurifySettings

SIDES = (512, 1024)
LEFT = 8 * 2**30  # bytes that a small card has
LONG = 2000  # no run ends while it is timed
REPEATS = 2
_SD_VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 4, "sample_size": 512,
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A checkpoint's sizes, as its published configurations have them; without a denoiser, its autoencoder alone."""

    vae: Mapping[str, Any]
    unet: Mapping[str, Any] = field(default_factory=dict)


KINDS = {
    "SD 1.5": Kind(_SD_VAE, {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}),
    "SDXL": Kind(
        {**_SD_VAE, "sample_size": 1024, "scaling_factor": 0.13025},
        {
            "sample_size": 128, "block_out_channels": (320, 640, 1280),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 2, 10), "attention_head_dim": (5, 10, 20), "cross_attention_dim": 2048,
            "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
        },
    ),
    "FLUX VAE": Kind({
        **_SD_VAE, "latent_channels": 16, "sample_size": 1024, "scaling_factor": 0.3611, "shift_factor": 0.1159,
        "use_quant_conv": False, "use_post_quant_conv": False,
    }),
}  # fmt: skip


def gpu(plan: Plan, kinds: Mapping[str, Kind] = KINDS, sides: tuple[int, ...] = SIDES) -> list[Report]:
    """A row for each checkpoint, side, precision and memory, with seconds a step of each job, None where it is too
    large, and MiB at the peak of all of them."""
    rows = []
    for name, kind in kinds.items():
        for precision, dtype in DTYPES.items():
            autoencoder, unet = _made(kind, dtype, plan.device)
            for side in sides:
                for left in (None, LEFT):
                    plan.log(f"gpu: {name}, {precision}, {side} pixels{', 8 GiB' if left else ''}")
                    with _all_but(left, plan.device):
                        row = _row(_jobs(autoencoder, unet, plan.tensor(side=side)), plan.device, plan.log)
                    rows.append({"checkpoint": name, "side": side, "precision": precision, "free": left, **row})
            del autoencoder, unet
            _emptied(plan.device)
    return rows


def as_table(rows: list[Report]) -> str:
    """The rows in Markdown."""
    heads = ["checkpoint", "side", "precision", "memory", *JOBS, "peak, MiB"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        figures = [f"{row[job]:.3g}" if row[job] is not None else "–" for job in JOBS]
        peak = f"{row['peak']:.0f}" if row["peak"] is not None else "–"
        memory = "8 GiB" if row["free"] else "all"
        cells = [row["checkpoint"], str(row["side"]), row["precision"], memory, *figures, peak]
        lines.append("| " + " | ".join(cells) + " |")
    return (
        "\n".join(lines)
        + "\n\nSeconds a step; – : not of this checkpoint, it does not fit, or it overflows in this precision.\n"
    )


JOBS = ("encoder attack", "paper", "fast", "denoising")


def _made(kind: Kind, dtype: torch.dtype, device: str) -> tuple[Autoencoder, Any]:
    """The autoencoder and the denoiser, with random weights made where they are used."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    torch.manual_seed(0)
    with torch.device(device):
        autoencoder = Autoencoder(AutoencoderKL(**kind.vae).to(dtype), "random weights", device, own=False)
        unet = UNet2DConditionModel(**kind.unet).to(dtype).requires_grad_(False).eval() if kind.unet else None
    return autoencoder, unet and spare_inputs(unet)


def _jobs(autoencoder: Autoencoder, unet: Any, x: Tensor) -> dict[str, Callable[[], Any]]:
    """What is timed, each made when its turn comes: a function that makes a run, of which steps are taken."""
    jobs: dict[str, Callable[[], Any]] = {
        "encoder attack": lambda: protect(x, ProtectSettings(steps=LONG), autoencoder),
        "paper": lambda: purify(x, PurifySettings(recipe="paper", steps=LONG), autoencoder),
        "fast": lambda: purify(x, PurifySettings(steps=LONG), autoencoder),
    }
    if unet is not None:
        with torch.no_grad():
            latent = autoencoder.to_scaled(autoencoder.encode(x)).to(unet.dtype)
        jobs["denoising"] = lambda: _denoised(unet, latent)
    return jobs


@torch.no_grad()
def _denoised(unet: Any, latent: Tensor) -> Iterator[Tensor]:
    """Denoising steps of one picture with and without its prompt."""
    pair = latent.repeat(2, 1, 1, 1)
    conditions = blank_conditions(unet, pair)
    while True:
        yield unet(pair, 500, **conditions).sample


def _row(jobs: Mapping[str, Callable[[], Any]], device: str, log: Callable[[str], None]) -> Report:
    """Seconds a step by job, and the peak of all of them."""
    row: Report = dict.fromkeys(JOBS)
    forget_peak(device)
    for name, begin in jobs.items():
        try:
            row[name] = time_in_turn({name: stepping(begin())}, REPEATS, device)[name].as_dict()["seconds"]
        except UserError as error:  # half precision may overflow with random weights
            log(str(error))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        _emptied(device)
    peak = peak_memory(device)
    return {**row, "peak": None if peak is None else peak / MIB}


@contextmanager
def _all_but(left: int | None, device: str) -> Iterator[None]:
    """Take the device's free memory but so many bytes."""
    _emptied(device)
    taken = None
    if left is not None and device == "cuda":
        taken = torch.empty(max(0, (free_memory(device) or 0) - left), dtype=torch.uint8, device=device)
    yield
    del taken
    _emptied(device)


def _emptied(device: str) -> None:
    if device == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
