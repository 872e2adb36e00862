"""Checkpoints of full size: Stable Diffusion's autoencoder, with random weights, since time and memory do not mind.

And what a tiny autoencoder in place of the embedded decoder could save at most.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from impress_ui.bench.clock import Times, passing, ratio, stepping, time_in_turn
from impress_ui.bench.memory import MIB, Apart
from impress_ui.bench.plan import Plan, Report
from impress_ui.bench.steps import lpips_to
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import DTYPES, Autoencoder, load_autoencoder, peak_memory
from impress_ui.models.memory import forget_peak
from impress_ui.settings import PurifySettings

TIMED_SIDE, FULL_SIDE = 192, 512
EXACT_STEPS = 10  # of the fast recipe's, after those with a surrogate


def large_checkpoint(plan: Plan, apart: Apart) -> Report:
    """Seconds a step of the paper recipe over the floor, and the peak memory of one at 512 pixels."""
    plan.log(f"large checkpoint: steps at {TIMED_SIDE} pixels")
    timed = apart(timed_steps, plan, TIMED_SIDE)
    plan.log(f"large checkpoint: memory at {FULL_SIDE} pixels")
    return {**timed, **apart(one_step, plan, FULL_SIDE)}


def stable_diffusions(plan: Plan) -> Autoencoder:
    """An autoencoder of Stable Diffusion's size (84 million weights, all random) on the plan's device."""
    from diffusers import AutoencoderKL

    logging.getLogger("diffusers").setLevel(logging.ERROR)
    torch.manual_seed(0)
    module = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        sample_size=512,
    )
    return Autoencoder(module.to(DTYPES[plan.run.precision]), "random weights", plan.device, own=False)


def timed_steps(plan: Plan, side: int) -> Report:
    """Seconds a step of the paper recipe at a side, and over the floor."""
    autoencoder = stable_diffusions(plan)
    x = plan.tensor(side=side)
    cases = {
        "ours": stepping(purify(x, PurifySettings(recipe="paper", steps=100), autoencoder)),
        "floor": passing((autoencoder.reconstruct, x), (lpips_to(x, autoencoder), x)),
    }
    times = time_in_turn(cases, 1, plan.device)
    return {
        "side": side,
        **{name: taken.as_dict() for name, taken in times.items()},
        "over_floor": ratio(times["ours"], times["floor"]),
    }


def one_step(plan: Plan, side: int) -> Report:
    """Seconds and peak memory of the paper recipe's first step at a side."""
    autoencoder = stable_diffusions(plan)
    x = plan.tensor(side=side)
    forget_peak(plan.device)
    run = purify(x, PurifySettings(recipe="paper", steps=2), autoencoder)
    times = Times()
    with times.lap(plan.device):
        next(run)  # the first losses and their gradient
    peak = peak_memory(plan.device)
    return {
        "full_side": side,
        "full_seconds": times.wall[0],
        "full_peak": None if peak is None else peak / MIB,
        "recomputes": bool(getattr(autoencoder.module.decoder, "gradient_checkpointing", False)),
    }


def surrogate_bound(plan: Plan) -> Report:
    """What a tiny autoencoder could save: the fast recipe with it for most steps, and exact ones at the end.

    The tiny one is diffusers' AutoencoderTiny, TAESD's class, of TAESD's widths and the embedded factor.
    """
    from diffusers import AutoencoderTiny

    autoencoder = load_autoencoder(plan.run)
    channels = int(autoencoder.module.config.latent_channels)
    stages = len(autoencoder.module.config.block_out_channels)
    tiny = AutoencoderTiny(
        latent_channels=channels,
        encoder_block_out_channels=(64,) * stages,
        decoder_block_out_channels=(64,) * stages,
        num_encoder_blocks=(1,) + (3,) * (stages - 1),
        num_decoder_blocks=(3,) * (stages - 1) + (1,),
    )
    tiny = tiny.requires_grad_(False).eval().to(plan.device, memory_format=torch.channels_last)
    x = plan.tensor()
    with torch.no_grad():
        z = autoencoder.encode(x)

    def decode(latent: Tensor) -> Tensor:
        return tiny.decode(latent).sample

    cases = {"embedded": passing((autoencoder.decode, z)), "tiny": passing((decode, z))}
    times = time_in_turn(cases, plan.repeats, plan.device)
    share = ratio(times["tiny"], times["embedded"])
    steps = PurifySettings().steps
    return {
        **{name: taken.as_dict() for name, taken in times.items()},
        "tiny_over_embedded": share,
        "steps": steps,
        "exact_steps": EXACT_STEPS,
        "most_speedup": {
            clock: steps / (EXACT_STEPS + (steps - EXACT_STEPS) * value) for clock, value in share.items()
        },
    }
