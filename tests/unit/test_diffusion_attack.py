from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.diffusion_attack import EditDistance, chain, ddim_step
from impress_ui.methods.optimise import LossHistory, run_to_end
from impress_ui.methods.protect import protect
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.settings import ProtectSettings

LEVELS = 127.5


@pytest.fixture(scope="module")
def batch(batch: Tensor) -> Tensor:
    """Pieces of 32 pixels are enough for what holds for every picture."""
    return batch[..., 16:48, 16:48].contiguous()


def settings(**changes: object) -> ProtectSettings:
    quick = {"method": "photoguard-diffusion", "steps": 3, "repetitions": 2, "attacked_steps": 2}
    return ProtectSettings(**{**quick, **changes})


def test_chain_is_the_chain_rule() -> None:
    torch.manual_seed(0)
    weights = [torch.randn(4, 4) for _ in range(3)]
    stages = [*((lambda z, w=w: torch.tanh(z @ w)) for w in weights), lambda z: z.norm(dim=1)]
    x = torch.randn(5, 4)
    value, gradient = chain(stages, x, gradient=True)
    plain = x.clone().requires_grad_()
    out = plain
    for stage in stages:
        out = stage(out)
    out.sum().backward()
    assert torch.allclose(value, out) and torch.allclose(gradient, plain.grad)
    assert torch.equal(chain(stages, x, gradient=False)[0], value)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_step_is_diffusers_ddim(prediction: str) -> None:
    scheduler = DDIMScheduler(clip_sample=False, set_alpha_to_one=True, prediction_type=prediction)
    scheduler.set_timesteps(10)
    sample, output, noise = torch.randn(3, 2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    time = int(scheduler.timesteps[3])
    then = scheduler.alphas_cumprod[time - 100]
    ours = ddim_step(sample, output, scheduler.alphas_cumprod[time], then, prediction, noise)
    theirs = scheduler.step(output, time, sample, eta=1.0, variance_noise=noise).prev_sample
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_last_step_ends_at_the_clean_estimate() -> None:
    one = torch.tensor(1.0)
    sample, output = torch.randn(2, 1, 4, 2, 2)
    now = torch.tensor(0.7)
    end = ddim_step(sample, output, now, one, "epsilon", torch.randn(1, 4, 2, 2))
    assert torch.allclose(end, (sample - (1 - now).sqrt() * output) / now.sqrt())


def test_the_gradient_is_that_of_the_whole_graph(model: DiffusionModel, batch: Tensor) -> None:
    x, target = batch[:2], torch.zeros_like(batch[:1])

    def value_of(pictures: Tensor) -> Tensor:
        return EditDistance(model, settings(), target, seed=3)(pictures)["edit distance"]

    ours = x.clone().requires_grad_()
    value = value_of(ours)
    (gradient,) = torch.autograd.grad(value.sum(), ours)

    # The same stages as one graph, as the published code runs them.
    plain = x.clone().requires_grad_()
    objective = EditDistance(model, settings(), target, seed=3)
    latent = objective._encode(plain)
    out = latent.repeat(2, 1, 1, 1)
    for stage in objective._stages(plain, latent.detach(), objective._noises(latent, 2)):
        out = stage(out)
    out = out.view(2, -1).mean(dim=0)
    (whole,) = torch.autograd.grad(out.sum(), plain)
    assert torch.allclose(value, out, rtol=1e-4)
    assert torch.nn.functional.cosine_similarity(gradient.flatten(), whole.flatten(), dim=0) > 0.9999
    assert gradient.norm() == pytest.approx(whole.norm().item(), rel=1e-3)

    # And a finite difference along it, as an oracle that knows no autograd.
    step = 0.02 * gradient / gradient.norm()
    with torch.no_grad():
        slope = (value_of(x + step) - value_of(x - step)).sum() / 2
    assert slope.item() == pytest.approx((gradient * step).sum().item(), rel=0.05)


def test_no_guidance_pass_without_a_prompt(model: DiffusionModel, batch: Tensor, monkeypatch) -> None:
    calls = []
    forward = model.unet.forward
    monkeypatch.setattr(model.unet, "forward", lambda *a, **k: calls.append(len(a[0])) or forward(*a, **k))
    with torch.no_grad():
        EditDistance(model, settings(), torch.zeros_like(batch[:1]), seed=0)(batch[:1])
        assert calls == [2, 2]  # two steps, the two repetitions in one batch
        calls.clear()
        EditDistance(model, settings(attacked_prompt="a mosaic"), torch.zeros_like(batch[:1]), seed=0)(batch[:1])
        assert calls == [2] * 4


def test_pictures_of_a_batch_do_not_influence_each_other(model: DiffusionModel, batch: Tensor) -> None:
    target = torch.zeros_like(batch[:1])
    with torch.no_grad():
        together = EditDistance(model, settings(), target, seed=0)(batch)["edit distance"]
        alone = EditDistance(model, settings(), target, seed=0)(batch[1:2])["edit distance"]
    assert together[1].item() == pytest.approx(alone.item(), rel=1e-3)


def test_the_attack_lowers_its_loss_within_the_budget(model: DiffusionModel, batch: Tensor) -> None:
    history = LossHistory()
    last = run_to_end(protect(batch[:1], settings(steps=6), model.autoencoder, model=model, seed=0), history)
    curve = history.curves["edit distance"]
    assert len(curve) == 7 and min(curve[-3:]) < curve[0]
    assert ((last.result - batch[:1]).abs() * LEVELS).max() <= 16 + 1e-3


@pytest.mark.parametrize("method", ["photoguard-encoder", "photoguard-diffusion"])
def test_the_l2_ball_holds_after_rounding(method: str, model: DiffusionModel, batch: Tensor) -> None:
    chosen = settings(method=method, norm="l2", l2_radius=16, steps=4, l2_step=8, repetitions=1, attacked_steps=1)
    result = run_to_end(protect(batch[:1], chosen, model.autoencoder, model=model, seed=0)).result
    lengths = (result - batch[:1]).flatten(1).norm(dim=1)
    # 16 is meant for 512 x 512 pixels; here they are 32 x 32.
    assert (lengths <= 1 + 1e-4).all() and (lengths > 0.5).all()


def test_only_the_mask_changes_and_an_inpainting_model_needs_one(inpainting: DiffusionModel, batch: Tensor) -> None:
    x = batch[:1]
    mask = torch.zeros_like(x[:, :1])
    mask[..., :16] = 1
    result = run_to_end(protect(x, settings(), inpainting.autoencoder, model=inpainting, seed=0, mask=mask)).result
    changed = (result != x).any(dim=1)
    assert changed[..., :16].any() and not changed[..., 16:].any()
    with pytest.raises(UserError, match="needs a mask"):
        run_to_end(protect(x, settings(), inpainting.autoencoder, model=inpainting, seed=0))


def test_target_and_prompt_mistakes(model: DiffusionModel, batch: Tensor) -> None:
    with pytest.raises(UserError, match="needs a target picture"):
        run_to_end(protect(batch[:1], settings(target="image"), model.autoencoder, model=model))
    with pytest.raises(UserError, match="token"):
        run_to_end(protect(batch[:1], settings(attacked_prompt="sea " * 90), model.autoencoder, model=model))
