"""AdvPaint's and StyleGuard's objectives against what they should be, computed another way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.attention import AttentionShift
from impress_ui.methods.attacks.statistics import LatentStatistics, statistics
from impress_ui.methods.optimise import run_to_end, sum_terms
from impress_ui.methods.protect import protect
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.settings import ProtectSettings
from tests.unit.test_denoising import draws, gradient_of, output_of, same_direction, setup
from tests.unit.test_lasting import moved
from tests.unit.test_objectives import DoublePrecision, check_gradient, exact, picture  # noqa: F401


def test_the_attention_s_shift_is_that_of_one_graph_through_diffusers_own_noising(
    model: DiffusionModel, batch: Tensor
) -> None:
    x0, x = batch[:2, :, 16:48, 16:48], batch[1:, :, 16:48, 16:48]
    shift = AttentionShift(setup(model, x0, "advpaint"))
    value, gradient = gradient_of(shift, x)
    heard: list[Tensor] = []
    blocks = [module for name, module in model.unet.named_modules() if name.endswith((".attn1", ".attn2"))]
    hooks = [block.register_forward_hook(lambda _module, _given, made: heard.append(made)) for block in blocks]
    y = x.clone().requires_grad_()
    z, z0 = (model.autoencoder.encode(each) * model.autoencoder.scaling_factor for each in (y, x0))
    expected = torch.zeros(2)
    for time, noise in draws(model, z, 2):
        seen = []
        for latent in (z, z0):
            heard.clear()
            output_of(model, latent, time, noise.expand_as(latent))
            seen.append(list(heard))
        layers = [(a - b).square().flatten(1).mean(dim=1) for a, b in zip(*seen, strict=True)]
        assert len(layers) == len(blocks) > 1
        expected = expected + sum(layers) / len(layers) / 2
    for hook in hooks:
        hook.remove()
    assert torch.allclose(-value, expected, rtol=0.02) and shift.weights == {"attention shift": -1.0}
    (slope,) = torch.autograd.grad(-expected.sum(), y)
    cosine = torch.nn.functional.cosine_similarity(gradient.flatten(), slope.flatten(), dim=0)
    assert cosine > 0.999 and gradient.norm().item() == pytest.approx(slope.norm().item(), rel=0.02)


def test_it_listens_while_it_looks_and_not_after(model: DiffusionModel, batch: Tensor) -> None:
    shift = AttentionShift(setup(model, batch[:1], "advpaint"))
    shift(batch[:1])
    assert not any(module._forward_hooks for module in model.unet.modules())


def test_a_block_that_is_computed_twice_is_heard_once(
    model: DiffusionModel, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = batch[1:2, :, 16:48, 16:48]
    whole = gradient_of(AttentionShift(setup(model, batch[:1, :, 16:48, 16:48], "advpaint")), x)
    monkeypatch.setattr("impress_ui.methods.attacks.denoising.fitting", lambda *_: 0)
    twice = gradient_of(AttentionShift(setup(model, batch[:1, :, 16:48, 16:48], "advpaint")), x)
    assert torch.allclose(whole[0], twice[0], rtol=1e-4)
    same_direction(whole[1], twice[1])


@pytest.mark.parametrize("method", ["advpaint", "styleguard"])
def test_a_run_leaves_the_picture_itself_where_its_distance_has_no_slope(
    method: str, model: DiffusionModel, batch: Tensor
) -> None:
    x = batch[:1, :, 16:48, 16:48]
    settings = ProtectSettings(method=method, steps=6, step_size=4, random_start=False)
    result = run_to_end(protect(x, settings, model.autoencoder, model=model)).result
    assert (moved(result, x, model.autoencoder) > 0.02).all()


def test_a_denoiser_without_attention_is_refused(
    model: DiffusionModel, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(model.unet), "named_modules", lambda _: iter(()))
    with pytest.raises(UserError, match="no attention"):
        AttentionShift(setup(model, batch[:1], "advpaint"))


def test_statistics_are_each_channel_s() -> None:
    latent = torch.randn(2, 4, 5, 7, generator=torch.Generator().manual_seed(0))
    found = statistics(latent)
    for picture_, of in zip(latent, found, strict=True):
        for channel in range(4):
            values = picture_[channel].numpy()
            assert of[channel].item() == pytest.approx(values.mean(), abs=1e-6)
            assert of[4 + channel].item() == pytest.approx(values.std(), rel=1e-5)


def test_the_statistics_term_and_its_gradient(exact: DoublePrecision) -> None:  # noqa: F811
    x0, other = 0.3 * picture(0) - 0.6, 0.3 * picture(1) + 0.6
    target = exact.encode(picture(2)).detach()
    term = LatentStatistics(exact, x0, target, weight=2.0)
    with torch.no_grad():
        own, now = (statistics(exact.to_scaled(exact.encode(x))) for x in (x0, other))
        expected = (now - statistics(exact.to_scaled(target))).norm() - (now - own).norm()
    assert term.weights == {"style statistics": 2.0}
    assert term(other)["style statistics"].item() == pytest.approx(expected.item(), rel=1e-2)
    check_gradient(lambda y: term(y)["style statistics"], other)


def test_the_statistics_go_to_the_target_s(model: DiffusionModel, batch: Tensor) -> None:
    """Beside AdvDM, which has nothing but the denoiser's error, of the same steps."""
    x = batch[:1, :, 16:48, 16:48]

    def term_of(method: str) -> float:
        settings = ProtectSettings(method=method, steps=12, step_size=4)
        made = run_to_end(protect(x, settings, model.autoencoder, model=model)).result
        return _style(model.autoencoder, x, made)

    assert term_of("styleguard") < term_of("advdm")


def _style(autoencoder: Autoencoder, x: Tensor, made: Tensor) -> float:
    from impress_ui.methods.attacks.targets import pattern

    with torch.no_grad():
        term = LatentStatistics(autoencoder, x, autoencoder.encode(pattern(x)), weight=1.0)
        return float(sum_terms(term(made), term.weights))
