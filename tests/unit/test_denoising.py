"""The denoising objectives and the adaptive ones against what they should be, computed another way."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from diffusers import DDPMScheduler
from torch import Tensor
from torch.nn.functional import cosine_similarity, mse_loss

from impress_ui.methods.attacks.adaptive import adaptive
from impress_ui.methods.attacks.denoising import DenoisingError, Texture
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.attacks.surrogate import SurrogateError
from impress_ui.methods.attacks.targets import pattern
from impress_ui.methods.edit import clean_estimate
from impress_ui.methods.optimise import Objective, run_to_end, sum_terms
from impress_ui.methods.protect import objective_of
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.perceptual import load_perceptual
from impress_ui.settings import ProtectSettings, PurifySettings

SEED = 3


@pytest.fixture(scope="module")
def batch(batch: Tensor) -> Tensor:
    """Pieces of 32 pixels are enough for what holds for every picture."""
    return batch[..., 16:48, 16:48].contiguous()


def setup(model: DiffusionModel, x: Tensor, method: str = "advdm", **changes: object) -> Setup:
    settings = ProtectSettings(method=method, **{"repetitions": 2, "attacked_prompt": "a mosaic", **changes})
    return Setup(x, settings, model.autoencoder, model, seed=SEED)


def gradient_of(objective: Objective, x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    total = sum_terms(objective(x), objective.weights)
    return total.detach(), torch.autograd.grad(total.sum(), x)[0]


def draws(model: DiffusionModel, latent: Tensor, count: int) -> list[tuple[Tensor, Tensor]]:
    """The times and noises of a first call, by the same generator."""
    generator = torch.Generator().manual_seed(SEED + 1)
    steps = model.scheduler("checkpoint").config.num_train_timesteps
    times = torch.randint(steps, (count,), generator=generator)
    noises = torch.randn((count, 1, *latent.shape[1:]), generator=generator)
    return [(time.view(1), noise) for time, noise in zip(times, noises, strict=True)]


def output_of(model: DiffusionModel, z: Tensor, time: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, DDPMScheduler]:
    """(the denoiser's output, the noisy latents, diffusers' scheduler that made them)."""
    scheduler = DDPMScheduler.from_config(model.scheduler("checkpoint").config)
    noisy = scheduler.add_noise(z, noise, time)
    text = model.embed("a mosaic").expand(len(z), -1, -1)
    return model.unet(noisy, time, text).sample, noisy, scheduler


def same_direction(a: Tensor, b: Tensor) -> None:
    assert cosine_similarity(a.flatten(), b.flatten(), dim=0) > 0.9999
    assert a.norm().item() == pytest.approx(b.norm().item(), rel=1e-3)


def test_the_split_gradient_is_that_of_one_graph_through_diffusers_own_noising(
    model: DiffusionModel, batch: Tensor
) -> None:
    x = batch[:2].clone().requires_grad_()
    value, gradient = gradient_of(DenoisingError(setup(model, batch[:2]), weight=1.0), batch[:2])
    z = model.autoencoder.encode(x) * model.autoencoder.scaling_factor
    errors = []
    for time, noise in draws(model, z, 2):
        output, _, scheduler = output_of(model, z, time, noise.expand_as(z))
        goal = scheduler.get_velocity(z, noise.expand_as(z), time)
        errors.append(mse_loss(output, goal, reduction="none").mean(dim=(1, 2, 3)))
    expected = torch.stack(errors).mean(dim=0)
    assert torch.allclose(value, expected.detach(), rtol=1e-4)
    same_direction(gradient, torch.autograd.grad(expected.sum(), x)[0])


def test_the_gradient_is_the_slope(model: DiffusionModel, batch: Tensor) -> None:
    """A finite difference knows no autograd."""
    x = batch[:1]
    _, gradient = gradient_of(DenoisingError(setup(model, x), weight=-1.0), x)
    step = 0.02 * gradient / gradient.norm()
    with torch.no_grad():
        up, down = (-DenoisingError(setup(model, x), weight=1.0)(y)["denoising error"] for y in (x + step, x - step))
    assert ((up - down) / 2).item() == pytest.approx((gradient * step).sum().item(), rel=0.05)


def test_the_distilled_gradient_is_the_encoder_s_transpose_times_the_noise_residual(
    model: DiffusionModel, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, recorded = batch[:2], []
    forward = model.unet.forward
    monkeypatch.setattr(
        model.unet, "forward", lambda *a, **k: recorded.append(torch.is_grad_enabled()) or forward(*a, **k)
    )
    value, gradient = gradient_of(DenoisingError(setup(model, x, "sds-plus"), weight=1.0, distilled=True), x)
    assert recorded and not any(recorded)  # no graph of the denoiser

    def encode(y: Tensor) -> Tensor:
        return model.autoencoder.encode(y) * model.autoencoder.scaling_factor

    z, residual = encode(x), 0
    for time, noise in draws(model, z, 2):
        output, noisy, scheduler = output_of(model, z, time, noise.expand_as(z))
        clean = clean_estimate(scheduler, output, time, noisy)
        a = scheduler.alphas_cumprod[time]
        predicted = (noisy - a.sqrt() * clean) / (1 - a).sqrt()
        residual = residual + (predicted - noise) / z[0].numel() / 2
    _, expected = torch.autograd.functional.vjp(encode, x, residual)
    same_direction(gradient, expected)
    with torch.no_grad():
        error = DenoisingError(setup(model, x), weight=1.0)(x)["denoising error"]
    assert torch.allclose(value, error, rtol=1e-4)  # what is shown is the error all the same


def test_new_noises_at_every_call_and_the_same_for_every_picture(model: DiffusionModel, batch: Tensor) -> None:
    x = batch[:1]
    objective = DenoisingError(setup(model, x), weight=1.0)
    with torch.no_grad():
        first, second = (objective(x)["denoising error"].item() for _ in range(2))
        twice = DenoisingError(setup(model, x), weight=1.0)(x.expand(2, -1, -1, -1))["denoising error"]
    assert first != second and twice.tolist() == pytest.approx([first, first], rel=1e-4)


def test_mist_fuses_by_its_rate(model: DiffusionModel, batch: Tensor) -> None:
    x = batch[:1]
    fused = objective_of(setup(model, x, "mist-fused", fusion_rate=16384))
    value, gradient = gradient_of(fused, x)
    with torch.no_grad():
        goal = model.autoencoder.encode(pattern(x))
    texture, first = gradient_of(Texture(model.autoencoder, goal), x)
    error, second = gradient_of(DenoisingError(setup(model, x), weight=-1.0), x)
    assert value.item() == pytest.approx((texture + error).item(), rel=1e-5)
    same_direction(gradient, first + second)


def test_sdst_adds_the_score_to_the_target(model: DiffusionModel, batch: Tensor) -> None:
    x = batch[:1]
    _, gradient = gradient_of(objective_of(setup(model, x, "sdst-minus", target_rate=5)), x)
    with torch.no_grad():
        goal = model.autoencoder.encode(pattern(x))
    _, first = gradient_of(Texture(model.autoencoder, goal), x)
    _, second = gradient_of(DenoisingError(setup(model, x), weight=5.0, distilled=True), x)
    same_direction(gradient, first + second)


class Square:
    """mean x^2, whose gradient everybody knows."""

    weights: ClassVar = {"square": 2.0}

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        return {"square": x.square().mean(dim=(1, 2, 3))}


def adapted(embedded: Autoencoder, x: Tensor, **changes: object) -> Objective:
    return adaptive(Square(), Setup(x, ProtectSettings(**changes), embedded, seed=SEED))


def test_consistency_is_added_with_beta(embedded: Autoencoder, batch: Tensor) -> None:
    x = batch[:2]
    value, gradient = gradient_of(adapted(embedded, x, adaptive="consistency", beta=7), x)
    y = x.clone().requires_grad_()
    expected = 2 * y.square().mean(dim=(1, 2, 3)) + 7 * (embedded.reconstruct(y) - y).square().mean(dim=(1, 2, 3))
    assert torch.allclose(value, expected.detach(), rtol=1e-5)
    same_direction(gradient, torch.autograd.grad(expected.sum(), y)[0])


def test_the_whole_loss_holds_the_picture_to_its_original(embedded: Autoencoder, batch: Tensor) -> None:
    original, x = batch[:1], batch[1:2]
    value, _ = gradient_of(adapted(embedded, original, adaptive="loss", beta=7), x)
    with torch.no_grad():
        similarity = load_perceptual("alex")(x, original)
        whole = (embedded.reconstruct(x) - x).square().mean() + 0.1 * (similarity - 0.1)
    assert similarity > 0.1  # or the hinge would hide the test
    assert value.item() == pytest.approx((2 * x.square().mean() + 7 * whole).item(), rel=1e-4)


def test_unrolled_asks_the_purified_picture_and_takes_its_gradient_back_through_the_autoencoder(
    embedded: Autoencoder, batch: Tensor
) -> None:
    x = batch[:2]
    objective = adapted(embedded, x, adaptive="unrolled", unrolled_steps=2)
    value, gradient = gradient_of(objective, x)
    purified = run_to_end(purify(x, PurifySettings(steps=2), embedded, seed=SEED)).result
    assert not torch.equal(purified, x)
    assert torch.allclose(value, 2 * purified.square().mean(dim=(1, 2, 3)))
    _, expected = torch.autograd.functional.vjp(embedded.reconstruct, x, 4 * purified / x[0].numel())
    same_direction(gradient, expected)
    with torch.no_grad():
        assert torch.allclose(objective(x)["square"] * 2, value)


def test_the_surrogate_learns_the_pictures_in_turn_with_the_attack(
    model: DiffusionModel, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, taught = batch[:2], []
    train = SurrogateError._train

    def watched(self: SurrogateError, tuning: object) -> None:
        taught.append(("clean" if tuning is self.attacked else "protected", tuning.latents.clone()))
        train(self, tuning)

    monkeypatch.setattr(SurrogateError, "_train", watched)
    before = [p.clone() for p in model.unet.parameters()]
    objective = SurrogateError(setup(model, x, "aspl", attack_steps=2, surrogate_steps=1))
    for shift in range(4):
        gradient_of(objective, x + 0.01 * shift)
    with torch.no_grad():
        objective(x)
    assert [name for name, _ in taught] == ["clean", "protected", "clean"]
    clean, moved = (model.autoencoder.encode(y) * model.autoencoder.scaling_factor for y in (x, x + 0.02))
    for (_, latents), expected in zip(taught, (clean, moved, clean), strict=True):
        assert torch.allclose(latents, expected, atol=1e-5)
    assert all(torch.equal(old, new) for old, new in zip(before, model.unet.parameters(), strict=True))
    # What is attacked is the surrogate that was taught the clean pictures last, and it differs from the model.
    copies = zip(objective.attacked.trained, objective.surrogate.trained, strict=True)
    assert any(not torch.equal(copy, weight) for copy, weight in copies)
