from __future__ import annotations

import gc
import io
import weakref

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.perceptual import load_perceptual
from impress_ui.pictures.images import LEVELS_PER_UNIT, quantise, to_images, to_tensor
from impress_ui.settings import ProtectSettings, PurifySettings


@pytest.fixture(scope="module")
def protected(embedded: Autoencoder, batch: Tensor) -> Tensor:
    result = run_to_end(protect(batch[:2], ProtectSettings(steps=12), embedded)).result
    assert result is not None
    return result


def published_impress(
    x_adv: Tensor, autoencoder: Autoencoder, steps: int, settings: PurifySettings, noise: Tensor
) -> Tensor:
    """The published algorithm from its description, one picture at a time, sharing nothing with our loop."""
    results = []
    for adv, start_noise in zip(x_adv.split(1), noise.split(1), strict=True):
        x = (adv + settings.start_noise * start_noise).requires_grad_()
        adam = torch.optim.Adam([x], lr=settings.learning_rate, eps=1e-5)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=steps, eta_min=1e-5)
        lpips = load_perceptual("alex").lpips
        for _ in range(steps):
            consistency = torch.nn.functional.mse_loss(autoencoder.module(x).sample, x)
            similarity = max(lpips(x, adv).squeeze() - settings.delta, torch.tensor(0.0))
            adam.zero_grad()
            (consistency + settings.alpha * similarity).backward()
            adam.step()
            schedule.step()
            x.data = x.data.clamp(-1, 1)
        results.append(x.detach())
    return torch.cat(results)


@pytest.mark.parametrize("recipe", ["paper", "paper-editing"])
def test_the_paper_recipe_is_the_published_algorithm(recipe: str, embedded: Autoencoder, protected: Tensor) -> None:
    settings = PurifySettings(recipe=recipe, steps=4, delta=0.02)  # a small delta so that the hinge takes part
    protected = protected[..., 16:48, 16:48].contiguous()
    noise = torch.randn(protected.shape, generator=torch.Generator().manual_seed(5))
    expected = quantise(published_impress(protected, embedded, 4, settings, noise))
    ours = run_to_end(purify(protected, settings, embedded, seed=5)).result
    differing = ((ours - expected).abs() * LEVELS_PER_UNIT).round()
    assert differing.max() <= 1  # rounding to 8 bits may tip by a level where sums ran in another order
    assert (differing > 0).float().mean() < 0.01


def test_fast_restores_what_the_autoencoder_sees(embedded: Autoencoder, batch: Tensor, protected: Tensor) -> None:
    purified = run_to_end(purify(protected, PurifySettings(steps=15), embedded)).result
    with torch.no_grad():
        clean, before, after = (embedded.encode(x) for x in (batch[:2], protected, purified))
    distance_before = (before - clean).flatten(1).norm(dim=1)
    distance_after = (after - clean).flatten(1).norm(dim=1)
    assert (distance_after < 0.8 * distance_before).all()


@pytest.mark.parametrize("variable", ["pixels", "latent"])
def test_the_loss_falls(variable: str, embedded: Autoencoder, protected: Tensor) -> None:
    settings = PurifySettings(variable=variable, consistency_weight=1, steps=4, learning_rate=0.02)
    steps = list(purify(protected[:1, :, :32, :32], settings, embedded))
    assert len(steps) == 5
    assert (steps[-1].losses["total"] < steps[0].losses["total"]).all()
    assert {"total", "consistency", "fidelity", "smoothness"} <= set(steps[0].losses)


@pytest.mark.parametrize("variable", ["pixels", "latent"])
def test_the_trust_radius_holds(variable: str, embedded: Autoencoder, protected: Tensor) -> None:
    settings = PurifySettings(variable=variable, trust_radius=5, steps=4)
    protected = protected[:1, :, :32, :32]
    result = run_to_end(purify(protected, settings, embedded)).result
    assert ((result - protected).abs().max() * LEVELS_PER_UNIT).item() <= 5 + 1e-3


def test_stop_keeps_the_partial_result(embedded: Autoencoder, protected: Tensor) -> None:
    last = run_to_end(purify(protected, PurifySettings(steps=900), embedded, should_stop=lambda: True))
    assert last.stopped and last.index == 1 and last.result.shape == protected.shape


@pytest.mark.parametrize("changes", [{}, {"variable": "pixels", "optimiser": "projection"}])
def test_a_run_leaves_nothing_for_the_garbage_collector(
    changes: dict[str, str], embedded: Autoencoder, protected: Tensor
) -> None:
    x = protected.clone()
    kept = weakref.ref(x)
    gc.disable()
    try:
        run_to_end(purify(x, PurifySettings(steps=2, **changes), embedded))
        del x
        assert kept() is None
    finally:
        gc.enable()


def test_controls_are_the_libraries_own(embedded: Autoencoder, protected: Tensor) -> None:
    def result(**settings: object) -> Tensor:
        return run_to_end(purify(protected, PurifySettings(**settings), embedded)).result

    image = to_images(protected)[0]
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=30)
    assert torch.equal(result(method="jpeg", jpeg_quality=30)[:1], to_tensor(Image.open(buffer)))

    half = image.resize((24, 24), Image.Resampling.LANCZOS).resize((48, 48), Image.Resampling.LANCZOS)
    assert torch.equal(result(method="resize", resize_factor=0.5)[:1], to_tensor(half))

    smooth = denoise_tv_chambolle(np.asarray(image) / 255, weight=0.1, channel_axis=-1)
    assert (result(method="total-variation", denoise_weight=0.1)[0] / 2 + 0.5).permute(
        1, 2, 0
    ).numpy() == pytest.approx(smooth, abs=0.5 / 255 + 1e-5)

    twice = embedded.reconstruct(embedded.reconstruct(protected).clamp(-1, 1)).clamp(-1, 1)
    assert torch.allclose(result(method="round-trip", round_trips=2), quantise(twice), atol=1.01 / LEVELS_PER_UNIT)


def test_gaussian_noise_has_its_deviation(embedded: Autoencoder) -> None:
    grey = torch.zeros(1, 3, 64, 64)
    noisy = run_to_end(purify(grey, PurifySettings(method="noise", noise_std=0.05), embedded)).result
    assert (noisy / 2).std().item() == pytest.approx(0.05, rel=0.05)
