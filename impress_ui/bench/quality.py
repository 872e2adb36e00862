"""To the same quality: what a published recipe has reached at its end, and when the fast recipe has reached it.

Both are timed on the same batch of protected test photographs. The published recipe's curve is of the pictures that a
stop after so many steps gives; each point of the fast recipe's is a run of its own, since its last touches are part of
it. The time of the measuring is not in the seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from impress_ui.bench.clock import wait_for
from impress_ui.bench.plan import Plan, Report
from impress_ui.bench.steps import attacked
from impress_ui.measures.metrics import measure, round_trip_error, ssim
from impress_ui.methods.optimise import sum_terms
from impress_ui.methods.purify import purify
from impress_ui.methods.terms import impress_loss_of
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.pictures.images import quantise, to_images
from impress_ui.settings import PurifySettings, Recipe

# Steps at which the published recipe's picture is looked at, besides its last.
LOOKS = (1, 3, 10, 30, 100, 200, 300, 500, 1000, 2000)
FAST_STEPS = (1, 2, 5, 10, 20, 40)
MORE_IS_BETTER = {
    "loss": False,
    "latent_distance": False,
    "ssim_of_v": True,
    "ssim": True,
    "lpips": False,
    "psnr": True,
    "round_trip_error": False,
}


def same_quality(plan: Plan) -> Report:
    """Curves of quality against seconds for a published recipe and the fast one, and how much sooner the latter is.

    The recipe is 'paper'; a quick benchmark has 'paper-editing', which takes a third of the steps.
    """
    recipe: Recipe = "paper-editing" if plan.quick else "paper"
    autoencoder = load_autoencoder(plan.run)
    clean = plan.tensor(plan.photographs, plan.quality_side)
    protected = attacked(plan, autoencoder, plan.photographs, plan.quality_side)
    published = PurifySettings(recipe=recipe)
    judge = _Judge(clean, protected, published, autoencoder)
    fast = []
    for steps in FAST_STEPS:
        plan.log(f"same quality: fast, {steps} steps")
        *_, point = _run(protected, PurifySettings(steps=steps), judge, ())
        fast.append(point)
    plan.log(f"same quality: {recipe}, {published.steps} steps on {plan.photographs} photographs")
    slow = list(_run(protected, published, judge, LOOKS))
    end = slow[-1]
    return {
        "recipe": recipe,
        "photographs": plan.photographs,
        "side": plan.quality_side,
        "steps": published.steps,
        "start": judge.of(protected) | {"clean_round_trip_error": round_trip_error(clean, autoencoder).mean().item()},
        "published": slow,
        "fast": fast,
        "share_of_time": {name: _share(fast, end, name) for name in ("loss", "latent_distance")},
        "share_of_time_of_a_whole_run": _time_over(fast[-1], end),
        "worse": [name for name in MORE_IS_BETTER if not _as_good(fast[-1], end, name)],
    }


class _Judge:
    """The columns of the purification table, and the published loss, as means over the pictures."""

    def __init__(self, clean: Tensor, protected: Tensor, published: PurifySettings, autoencoder: Autoencoder) -> None:
        self.clean, self.autoencoder = clean, autoencoder
        self.loss = impress_loss_of(protected, published, autoencoder)
        with torch.no_grad():
            self.latents = autoencoder.encode(clean)
            self.lengths = self.latents.flatten(1).norm(dim=1)
            self.seen = to_images(autoencoder.reconstruct(clean))

    @torch.no_grad()
    def of(self, x: Tensor) -> dict[str, float]:
        """Of pictures (B, 3, H, W), in 8 bits as somebody would get them."""
        x = quantise(x)
        distance = (self.autoencoder.encode(x) - self.latents).flatten(1).norm(dim=1) / self.lengths
        seen = to_images(self.autoencoder.reconstruct(x))
        against = [measure(a, b) for a, b in zip(to_images(x), to_images(self.clean), strict=True)]
        like = [float(ssim(np.asarray(a), np.asarray(b))) for a, b in zip(seen, self.seen, strict=True)]
        return {
            "loss": sum_terms(self.loss(x), self.loss.weights).mean().item(),
            "latent_distance": distance.mean().item(),
            "ssim_of_v": float(np.mean(like)),
            **{name: float(np.mean([getattr(row, name) for row in against])) for name in ("ssim", "lpips", "psnr")},
            "round_trip_error": round_trip_error(x, self.autoencoder).mean().item(),
        }


def _run(protected: Tensor, settings: PurifySettings, judge: _Judge, looks: Sequence[int]) -> Iterator[Report]:
    """Points of a run, at the steps in ``looks`` and at its end; the clock stands still while they are measured."""
    device = judge.autoencoder.device
    wall = processor = 0.0
    run = purify(protected, settings, judge.autoencoder)
    while True:
        began, worked = time.perf_counter(), time.process_time()
        step = next(run)
        due = step.result is not None or step.index in looks
        if due:
            wait_for(device)
        wall += time.perf_counter() - began
        processor += time.process_time() - worked
        if due:
            figures = judge.of(step.image if step.result is None else step.result)
            yield {"steps": step.index, "seconds": wall, "processor_seconds": processor, **figures}
        if step.result is not None:
            return


def _as_good(point: Report, other: Report, name: str) -> bool:
    return point[name] >= other[name] if MORE_IS_BETTER[name] else point[name] <= other[name]


def _share(fast: Sequence[Report], end: Report, name: str) -> dict[str, float] | None:
    """The part of the published run's time in which the fast recipe gets as far as that; None where it never does."""
    there = next((point for point in fast if _as_good(point, end, name)), None)
    return None if there is None else {"steps": there["steps"], **_time_over(there, end)}


def _time_over(point: Report, end: Report) -> dict[str, float]:
    columns = {"wall": "seconds", "processor": "processor_seconds"}
    return {clock: point[column] / end[column] for clock, column in columns.items()}
