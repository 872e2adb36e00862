"""The one number of a GPU that times on ZeroGPU are reckoned from: seconds for 10^12 operations."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from impress_ui.bench.clock import passing, time_in_turn
from impress_ui.bench.plan import Plan
from impress_ui.errors import UserError
from impress_ui.measures.gpu_pace import GpuPace
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.operations import counted

SIDE = 512  # pixels: a GPU has enough to do then


def measure_gpu_pace(plan: Plan, side: int = SIDE) -> GpuPace:
    """Time ``measures.gpu_pace.OPERATION`` and count it, on the plan's device and checkpoint.

    The operations are counted over the pass that is timed: whatever it computes twice to spare memory is in both.

    Raises:
        UserError: another precision than float32, which is the slowest: times for others are reckoned from it too.
    """
    if plan.run.precision != "float32":
        raise UserError("--gpu-pace measures in float32 alone, the slowest precision; leave --precision out.")
    autoencoder = load_autoencoder(plan.run)
    x = dataclasses.replace(plan, side=side).tensor()
    case = passing((autoencoder.reconstruct, x))
    work, _ = counted(lambda: _forward_and_back(autoencoder, x))
    plan.log(f"gpu pace: {plan.run.checkpoint}, {side} pixels, {work:.3g} x 10^12 operations")
    taken = time_in_turn({"pace": case}, plan.repeats, plan.device)["pace"].as_dict()["seconds"]
    device = torch.cuda.get_device_name() if plan.device == "cuda" else plan.device
    return GpuPace(taken / work, device, plan.run.checkpoint, side, torch.__version__)


def _forward_and_back(autoencoder: Autoencoder, x: Tensor) -> None:
    """What is timed, in a form that PyTorch's counter can follow: its hooks want no module to begin at a leaf."""
    leaf = x.detach().requires_grad_()
    torch.autograd.grad(autoencoder.reconstruct(leaf * 1.0).sum(), leaf)
