from __future__ import annotations

import copy

import pytest
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from impress_ui.methods.impress import ImpressLoss, consistency
from impress_ui.methods.objectives import LatentDistance, excess, total_variation
from impress_ui.methods.optimise import sum_terms
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.perceptual import PerceptualDistance


class DoublePrecision(Autoencoder):
    """The wrapper without its casts to float32, so that finite differences are exact enough to judge by."""

    def encode(self, x: Tensor) -> Tensor:
        return self.module.encode(x).latent_dist.mode()

    def decode(self, z: Tensor) -> Tensor:
        return self.module.decode(z).sample


@pytest.fixture(scope="module")
def exact(stable_diffusion_like: AutoencoderKL) -> DoublePrecision:
    return DoublePrecision(copy.deepcopy(stable_diffusion_like).double(), "random", "cpu", own=False)


def picture(seed: int, side: int = 32) -> Tensor:
    return (
        torch.rand((1, 3, side, side), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 1.8 - 0.9
    )


def check_gradient(function, x: Tensor, tolerance: float = 1e-5) -> None:
    """The gradient along three random directions against central differences."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x).sum(), x)
    for seed in range(3):
        direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        h = 1e-5
        with torch.no_grad():
            numeric = (function(x + h * direction) - function(x - h * direction)).sum() / (2 * h)
        assert (gradient * direction).sum().item() == pytest.approx(numeric.item(), rel=tolerance, abs=1e-9)


def test_consistency_is_the_papers_formula_with_both_gradients(exact: DoublePrecision) -> None:
    x = picture(0)
    with torch.no_grad():
        expected = ((exact.module(x).sample - x) ** 2).mean()
    assert consistency(x, exact).item() == pytest.approx(expected.item())
    check_gradient(lambda y: consistency(y, exact), x)


def test_latent_distance(exact: DoublePrecision) -> None:
    x, target = picture(0), exact.encode(picture(1)).detach()
    expected = (exact.encode(x) - target).pow(2).sum().sqrt()
    assert LatentDistance(exact, target)(x)["latent distance"].item() == pytest.approx(expected.item())
    check_gradient(lambda y: LatentDistance(exact, target)(y)["latent distance"], x)


def test_total_variation() -> None:
    flat = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
    edge = flat.clone()
    edge[..., 8:] = 1.0
    floor = 1 / 255
    assert total_variation(flat).item() == pytest.approx(floor)
    # One column in fifteen holds the edge of height 1.
    assert total_variation(edge).item() == pytest.approx((14 * floor + (1 + floor**2) ** 0.5) / 15)
    check_gradient(total_variation, picture(0))


def test_the_whole_loss_and_its_gradient(exact: DoublePrecision) -> None:
    perceptual = PerceptualDistance("alex").double()
    x_adv, x = picture(0, 64), picture(1, 64)
    loss = ImpressLoss(exact, perceptual, x_adv, alpha=0.3, delta=0.05, fidelity=0.5, smoothness=0.1)
    terms = loss(x)
    hinge = max(perceptual(x, x_adv).item() - 0.05, 0)
    assert terms["similarity"].item() == pytest.approx(hinge) and hinge > 0
    expected = consistency(x, exact) + 0.3 * hinge + 0.5 * ((x - x_adv) ** 2).mean() + 0.1 * total_variation(x)
    assert sum_terms(terms, loss.weights).item() == pytest.approx(expected.item())
    # LPIPS is piecewise smooth (ReLU, max-pool), so a step may cross a kink.
    check_gradient(lambda y: sum_terms(loss(y), loss.weights), x, tolerance=1e-3)


def test_within_the_budget_the_hinge_is_zero_and_has_no_gradient(exact: DoublePrecision) -> None:
    x_adv = picture(0, 64)
    loss = ImpressLoss(exact, PerceptualDistance("alex").double(), x_adv, alpha=0.3, delta=0.05)
    x = (x_adv + 1e-3).requires_grad_()
    term = loss(x)["similarity"]
    assert term.item() == 0 and not term.requires_grad


def test_terms_without_weight_are_left_out_but_consistency_is_watched(exact: DoublePrecision) -> None:
    perceptual = PerceptualDistance("alex").double()
    loss = ImpressLoss(exact, perceptual, picture(0, 64), alpha=0.0, delta=0.1, consistency_weight=0, fidelity=1)
    x = picture(1, 64).requires_grad_()
    terms = loss(x)
    assert set(terms) == {"consistency", "fidelity"}
    assert terms["consistency"].item() == pytest.approx(consistency(x, exact).item())
    (gradient,) = torch.autograd.grad(sum_terms(terms, loss.weights).sum(), x)
    assert torch.allclose(gradient, 2 * (x - loss.x_adv).detach() / x.numel())  # fidelity's alone
    # Between two looks the last value stands.
    seen = [loss(picture(seed, 64))["consistency"].item() for seed in range(2, 12)]
    assert seen[:9] == [terms["consistency"].item()] * 9 and seen[9] != seen[8]


def test_an_inactive_hinge_has_no_graph() -> None:
    distance = torch.tensor([0.1, 0.3], requires_grad=True)
    assert not excess(distance, 0.5).requires_grad and excess(distance, 0.5).tolist() == [0, 0]
    (gradient,) = torch.autograd.grad(excess(distance, 0.2).sum(), distance)
    assert gradient.tolist() == [0, 1]
