"""Peak memory, and how the cost grows with the side of a picture, the pictures in a batch, and the steps of a run.

Each phase has a process of its own: what a process has taken once it never shows less. The processes are forked from a
small one that has imported what they need and computed nothing, so that each begins with the same memory, and its peak
is its own.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from torch import Tensor

from impress_ui.bench import published
from impress_ui.bench.clock import Case, Times, time_in_turn
from impress_ui.bench.plan import Plan, Report
from impress_ui.bench.steps import BY_STAGES, diffusion_attack_settings
from impress_ui.methods.attacks.diffusion_attack import EditDistance
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import load_autoencoder, peak_memory
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.models.memory import forget_peak, resident_memory
from impress_ui.settings import PurifySettings, Recipe

MIB = 2**20
SMALL = 32  # pixels
SIDES = (64, 128, 256, 512)
BATCHES = (1, 2, 4, 8)
STEPS = (5, 10, 20, 40)
PIXELS_A_MEASUREMENT = 10 * 128**2  # a large picture is timed over fewer steps


class Apart:
    """Runs functions one after another, each in a fresh process; to be closed, or used as a context."""

    def __init__(self) -> None:
        ways = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if "forkserver" in ways else "spawn")
        if hasattr(context, "set_forkserver_preload"):
            context.set_forkserver_preload([__name__])
        self._pool = ProcessPoolExecutor(max_workers=1, mp_context=context, max_tasks_per_child=1)

    def __call__(self, function: Callable[..., Report], plan: Plan, *arguments: Any) -> Report:
        silent = dataclasses.replace(plan, log=_say_nothing)  # as another process can have it
        return self._pool.submit(function, silent, *arguments).result()

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def peaks(plan: Plan, apart: Apart) -> Report:
    """MiB that IMPRESS and the diffusion attack take at their peak, and over what the loaded model holds."""
    report: Report = {}
    for job, function, ways in (
        ("impress", impress_peak, ("published", "paper", "fast")),
        ("diffusion attack", attack_peak, ("published", "ours", "ours, stage by stage")),
    ):
        report[job] = {}
        for way in ways:
            plan.log(f"memory: {job}, {way}")
            report[job][way] = apart(function, plan, way)
    attack = report["diffusion attack"]
    for way in ("ours", "ours, stage by stage"):
        over, under = attack[way]["over_idle"], attack["published"]["over_idle"]
        attack[way]["share_of_published"] = over / under if over and under else None
    return report


def _say_nothing(_: str) -> None:
    """The ``log`` of a plan in another process."""


def impress_peak(plan: Plan, way: str) -> Report:
    """Two steps of one way of purifying a picture."""
    autoencoder = load_autoencoder(plan.run)
    recipe = PurifySettings(recipe="fast" if way == "fast" else "paper", steps=10)
    purifier = published.impress if way == "published" else purify

    def two_steps(x: Tensor) -> None:
        run: Iterator[Any] = purifier(x, recipe, autoencoder)
        for _ in range(2):
            next(run)

    return _over_idle(plan, two_steps)


def attack_peak(plan: Plan, way: str) -> Report:
    """One gradient of the diffusion attack; 'ours' chooses by the memory that is free."""
    model, settings = load_diffusion_model(plan.run), diffusion_attack_settings(plan)
    passes = BY_STAGES if way == "ours, stage by stage" else None

    def gradient(x: Tensor) -> None:
        target = torch.zeros_like(x)
        if way == "published":
            published.DiffusionAttack(model, settings, target, seed=0).gradient(x)
            return
        seen = x.detach().requires_grad_()
        distance = EditDistance(model, settings, target, seed=0, passes=passes)(seen)["edit distance"]
        torch.autograd.grad(distance.sum(), seen)

    return _over_idle(plan, gradient)


def growth(plan: Plan, apart: Apart) -> Report:
    """Rows of seconds a step and MiB by side and by batch, and of seconds a run by steps, of the fast recipe."""
    report: Report = {"by_side": [], "by_batch": [], "by_steps": []}
    for side in SIDES:
        plan.log(f"growth: side {side}")
        steps = max(2, PIXELS_A_MEASUREMENT // side**2)
        report["by_side"].append(
            {"paper": apart(growth_peak, plan, side, 1, "paper", steps)["seconds"]}
            | apart(growth_peak, plan, side, 1, "fast", steps)
        )
    for batch in BATCHES:
        plan.log(f"growth: batch {batch}")
        row = apart(growth_peak, plan, plan.side, batch, "fast", 10)
        report["by_batch"].append(row | {"images_a_minute": 60 * batch / (row["seconds"] * PurifySettings().steps)})
    autoencoder, x = load_autoencoder(plan.run), plan.tensor()

    def runs(steps: int) -> Case:
        return Case(lambda: run_to_end(purify(x, PurifySettings(steps=steps), autoencoder)))

    plan.log("growth: steps")
    times = time_in_turn({str(steps): runs(steps) for steps in STEPS}, 2, plan.device)
    report["by_steps"] = [{"steps": int(steps), "side": plan.side, **taken.as_dict()} for steps, taken in times.items()]
    return report


def growth_peak(plan: Plan, side: int, batch: int, recipe: Recipe, steps: int) -> Report:
    """Seconds a step and peak memory of purifying so many squares of a side together."""
    autoencoder = load_autoencoder(plan.run)
    times = Times()

    def some(x: Tensor) -> None:
        x = x.repeat(batch, 1, 1, 1) if x.shape[-1] == side else x
        run = purify(x, PurifySettings(recipe=recipe, steps=steps + 1), autoencoder)
        next(run)
        with times.lap(plan.device, steps):
            for _ in range(steps):
                next(run)

    memory = _over_idle(dataclasses.replace(plan, side=side), some)
    seconds = {"seconds": times.wall[-1], "processor_seconds": times.processor[-1]}
    return {"side": side, "batch": batch, **seconds, **memory}


def _over_idle(plan: Plan, work: Callable[[Tensor], object]) -> Report:
    """MiB at the peak of the work on a picture, and how much of it came with the work.

    What is loaded and set up once is there before: the work has been done on a small picture.
    """
    work(plan.tensor(side=SMALL))
    x = plan.tensor()
    idle = torch.cuda.memory_allocated() if plan.device == "cuda" else resident_memory()
    forget_peak(plan.device)  # loading has one of its own
    work(x)
    peak = peak_memory(plan.device)
    if peak is None:
        return {"peak": None, "over_idle": None}
    return {"peak": peak / MIB, "over_idle": None if idle is None else (peak - idle) / MIB}
