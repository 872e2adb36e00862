"""How gradients through the denoiser are taken by the memory that is free, and that it changes nothing but memory."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from impress_ui.art.artists.works import Work
from impress_ui.methods.attacks.diffusion_attack import EditDistance
from impress_ui.methods.mimic import FineTuning
from impress_ui.methods.optimise import LossHistory, run_to_end
from impress_ui.methods.protect import protect
from impress_ui.models import memory
from impress_ui.models.diffusion_model import DiffusionModel, load_diffusion_model
from impress_ui.models.graphs import SHARE, Passes, bytes_kept, denoiser_keeps, kept_a_latent, recompute
from impress_ui.pictures.images import to_images
from impress_ui.settings import MimicSettings, ProtectSettings, RunSettings
from tests.unit.small_checkpoints import save_sd

ATTACK = ProtectSettings(method="photoguard-diffusion", repetitions=2, attacked_steps=2)
ENOUGH = 10**13


@pytest.fixture(scope="module", params=["embedded", "sd"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DiffusionModel:
    """The embedded checkpoint, and Stable Diffusion's kind; each with a denoiser that no other test sees."""
    folder = save_sd(tmp_path_factory.mktemp("checkpoints") / "sd") if request.param == "sd" else "embedded"
    model = load_diffusion_model(RunSettings(checkpoint=str(folder), device="cpu"))
    return model.with_unet(copy.deepcopy(model.unet))


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Says how many bytes are free."""
    return lambda count: monkeypatch.setattr(memory, "free_memory", lambda _: int(count))


def gradient(model: DiffusionModel, x: Tensor) -> tuple[Tensor, EditDistance]:
    objective = EditDistance(model, ATTACK, torch.zeros_like(x), seed=3)
    seen = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(objective(seen)["edit distance"].sum(), seen)
    return slope, objective


def needs(model: DiffusionModel, x: Tensor) -> tuple[float, float]:
    """Bytes that must be free for one repetition in one graph, and for one pass of the denoiser."""
    kept, latents = kept_a_latent(model), x[:, 0].numel() / model.autoencoder.factor**2
    return latents * (2 * kept.denoiser + kept.decoder) / SHARE, latents * kept.denoiser / SHARE


def test_what_a_graph_keeps_is_foretold(whole: DiffusionModel, batch: Tensor) -> None:
    x = batch[:1]
    with torch.no_grad():
        latent = whole.autoencoder.to_scaled(whole.autoencoder.encode(x))
    objective = EditDistance(whole, ATTACK, torch.zeros_like(x), seed=3)
    stages = objective._stages(x, latent, objective._noises(latent, 1))

    def work() -> Tensor:
        value = latent.clone().requires_grad_()
        for stage in stages:
            value = stage(value)
        return value

    true = bytes_kept(work, whole.unet, whole.autoencoder.module)
    foretold = SHARE * needs(whole, x)[0]
    assert 0.6 * foretold < true < 1.4 * foretold


def watched(monkeypatch: pytest.MonkeyPatch, model: DiffusionModel) -> list[bool]:
    """Grows with every time that the denoiser's gradient checkpointing is switched on."""
    switched, switch = [], model.unet.enable_gradient_checkpointing
    monkeypatch.setattr(model.unet, "enable_gradient_checkpointing", lambda: (switched.append(True), switch()))
    return switched


def test_the_way_follows_the_memory_and_the_gradient_stays(
    whole: DiffusionModel, batch: Tensor, free: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    x = batch[:1]
    free(ENOUGH)
    plain, objective = gradient(whole, x)
    assert objective.passes == Passes(True, 2)
    together, denoiser = needs(whole, x)
    found, switched = [], watched(monkeypatch, whole)
    for bytes_free in (1.5 * together, 0.9 * together, 0.5 * denoiser):
        free(bytes_free)
        slope, objective = gradient(whole, x)
        found.append(objective.passes)
        assert torch.nn.functional.cosine_similarity(slope.flatten(), plain.flatten(), dim=0) > 0.9999
        assert slope.norm() == pytest.approx(plain.norm().item(), rel=1e-3)
    assert found == [Passes(True, 1), Passes(False, 1), Passes(False, 1, recompute=True)]
    assert switched == [True]  # for the last alone
    assert not whole.unet.is_gradient_checkpointing  # and not left so
    free(ENOUGH)
    assert gradient(whole, x)[1].passes == Passes(True, 2)


def test_a_system_that_does_not_tell_has_enough(
    whole: DiffusionModel, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: None)
    assert Passes.chosen(whole, batch[:1], 2, 2) == Passes(True, 2)


def test_a_mistake_leaves_the_denoiser_as_it_was(whole: DiffusionModel) -> None:
    with pytest.raises(ZeroDivisionError), recompute(whole.unet, True):
        assert whole.unet.is_gradient_checkpointing
        raise ZeroDivisionError
    assert not whole.unet.is_gradient_checkpointing


def test_computing_twice_keeps_less(whole: DiffusionModel) -> None:
    side = 4 * whole.multiple // whole.autoencoder.factor
    much = denoiser_keeps(whole.unet, side, inputs=True)
    latent = torch.zeros(1, whole.unet.config.in_channels, side, side, requires_grad=True)
    text = whole.embed("")
    whole.unet.enable_gradient_checkpointing()
    little = bytes_kept(lambda: whole.unet(latent, 500, text).sample, whole.unet) / side**2
    whole.unet.disable_gradient_checkpointing()
    assert little < 0.6 * much


@pytest.mark.parametrize("method", ["advdm", "sds-minus"])
def test_denoising_errors_draw_the_same_with_little_memory(
    method: str,
    model: DiffusionModel,
    batch: Tensor,
    free: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switched = watched(monkeypatch, model)
    x = batch[:1, :, 16:48, 16:48].contiguous()
    settings, curves = ProtectSettings(method=method, steps=2, repetitions=3), []
    for bytes_free in (ENOUGH, 1000):
        free(bytes_free)
        history = LossHistory()
        run_to_end(protect(x, settings, model.autoencoder, model=model, seed=1), history)
        curves.append(history.curves["denoising error"])
    assert bool(switched) == (method == "advdm") and not model.unet.is_gradient_checkpointing
    assert curves[0] == pytest.approx(curves[1], rel=1e-3)


def test_a_fine_tuning_computes_twice_where_memory_is_short(
    model: DiffusionModel, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = [Work(image, "a picture", "", "") for image in to_images(batch[:2])]
    losses = []
    for bytes_free in (ENOUGH, 1000):
        monkeypatch.setattr("impress_ui.methods.mimic.free_memory", lambda _, count=bytes_free: count)
        tuning = FineTuning(model, works, MimicSettings(steps=2, batch=2, preview_every=0), seed=1)
        measured: list[object] = []
        monkeypatch.setattr(
            "impress_ui.methods.mimic.denoiser_keeps",
            lambda *given, said=measured, **options: said.append(given) or denoiser_keeps(*given, **options),
        )
        losses.append([])
        for step in tuning.run():
            assert tuning.unet.is_gradient_checkpointing == (bytes_free == 1000)
            losses[-1].append(step.loss_values()["denoising error"])
        assert not tuning.unet.is_gradient_checkpointing
        assert list(tuning.run()) == [] and len(measured) == 1  # a later round does not measure again
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
