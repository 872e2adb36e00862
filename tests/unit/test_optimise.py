from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from impress_ui.methods.optimise import (
    AdamStepper,
    LossHistory,
    SignStepper,
    identity,
    linf_ball,
    optimise,
    pixel_range,
    run_to_end,
    within_mask,
)


class Quadratic:
    """||x - goal||^2 a picture, a problem whose answer is known."""

    weights: Mapping[str, float] = {"distance": 2.0}

    def __init__(self, goal: Tensor) -> None:
        self.goal = goal

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        return {"distance": ((x - self.goal) ** 2).flatten(1).sum(dim=1)}


def pictures(seed: int, count: int = 2) -> Tensor:
    return torch.rand((count, 3, 8, 8), generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("eps", [1e-8, 1e-5])
def test_adam_stepper_is_torchs_adam_under_cosine_annealing(eps: float) -> None:
    start, goal, steps = pictures(0), pictures(1), 12
    x = start.clone().requires_grad_()
    adam = torch.optim.Adam([x], lr=0.05, eps=eps)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=steps, eta_min=1e-5)
    for _ in range(steps):
        adam.zero_grad()
        (2 * ((x - goal) ** 2).sum()).backward()
        adam.step()
        schedule.step()
        x.data.clamp_(-1, 1)
    result = run_to_end(optimise(start, Quadratic(goal), pixel_range, AdamStepper(0.05, eps=eps), steps)).result
    assert torch.allclose(result, x.detach(), atol=2e-6)


def test_sign_steps_decay_from_the_size_to_a_hundredth() -> None:
    start = torch.zeros(1, 3, 4, 4)
    steps = list(optimise(start, Quadratic(torch.full_like(start, 9.0)), identity, SignStepper(0.5), 10))
    moves = [(b.picture - a.picture).max().item() for a, b in itertools.pairwise(steps)]
    expected = [0.5 - (0.5 - 0.005) * i / 10 for i in range(10)]
    assert moves == pytest.approx(expected, abs=1e-6)


def test_images_of_a_batch_do_not_influence_each_other() -> None:
    start, goal = pictures(0, 3), pictures(1, 3)
    together = run_to_end(optimise(start, Quadratic(goal), pixel_range, AdamStepper(0.1), 7)).result
    for i in range(3):
        part = slice(i, i + 1)
        alone = run_to_end(optimise(start[part], Quadratic(goal[part]), pixel_range, AdamStepper(0.1), 7)).result
        assert torch.allclose(together[part], alone, atol=1e-6)


def test_projections() -> None:
    centre, far = pictures(0), pictures(1) * 5
    inside = linf_ball(centre, 0.1)(far)
    assert ((inside - centre).abs() <= 0.1 + 1e-6).all() and inside.abs().max() <= 1
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    mixed = within_mask(pixel_range, centre, mask)(far)
    assert torch.equal(mixed[..., 4:], centre[..., 4:])
    assert torch.equal(mixed[..., :4], far[..., :4].clamp(-1, 1))


def test_every_iterate_is_yielded_with_its_own_losses() -> None:
    start, goal = pictures(0), pictures(1)
    history = LossHistory(image=1)
    objective = Quadratic(goal)
    for step in optimise(start, objective, pixel_range, AdamStepper(0.1), 5):
        history.add(step)
        assert torch.allclose(step.losses["distance"], objective(step.picture)["distance"])
        assert torch.allclose(step.losses["total"], 2 * step.losses["distance"])
        assert (step.result is not None) == (step.index == 5)
    assert [len(curve) for curve in history.curves.values()] == [6, 6]
    assert history.curves["total"][-1] < history.curves["total"][0]


def test_stop_keeps_what_was_reached() -> None:
    steps = optimise(pictures(0), Quadratic(pictures(1)), pixel_range, AdamStepper(0.1), 50, should_stop=lambda: True)
    last = run_to_end(steps)
    assert last.stopped and last.index == 1
    assert torch.equal(last.result, last.picture)


def test_best_iterate_is_kept_per_image() -> None:
    start, goal = pictures(0), pictures(1)
    goal[1] = start[1]  # the second image starts at its answer, and every step leaves it
    steps = list(optimise(start, Quadratic(goal), identity, SignStepper(0.2), 9, keep_best=True))
    losses = torch.stack([step.losses["total"] for step in steps])
    result = Quadratic(goal)(steps[-1].result)["distance"] * 2
    assert torch.allclose(result, losses.min(dim=0).values)
    assert torch.equal(steps[-1].result[1], start[1])


def test_patience_ends_a_run_that_no_longer_improves() -> None:
    start = pictures(0)
    last = run_to_end(optimise(start, Quadratic(start), identity, SignStepper(0.1), 100, keep_best=True, patience=4))
    assert last.index < 20 and torch.equal(last.result, start) and not last.stopped


def test_a_rendered_variable_is_optimised_through_its_rendering() -> None:
    goal = pictures(1)
    last = run_to_end(
        optimise(
            torch.zeros(2, 1, 1, 1),
            Quadratic(goal),
            identity,
            AdamStepper(0.1),
            200,
            render=lambda v: v.expand_as(goal),
        )
    )
    assert torch.allclose(last.result[:, 0, 0, 0], goal.mean(dim=(1, 2, 3)), atol=1e-3)


def test_the_start_is_left_alone() -> None:
    start = pictures(0)
    copy = start.clone()
    run_to_end(optimise(start, Quadratic(pictures(1)), pixel_range, AdamStepper(0.1), 3))
    assert torch.equal(start, copy) and not start.requires_grad
