"""Purifying by a diffusion model on pixels: the way back against models that know the answer, tiles, folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.measures import costs
from impress_ui.methods.optimise import Step, run_to_end
from impress_ui.methods.purifiers.tiles import enlarged_to, tile_count
from impress_ui.methods.purify import check_ready, purify
from impress_ui.models import pixel_diffusion
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.pixel_diffusion import PixelModel, pixel_model
from impress_ui.models.pixel_folder import pixel_folder
from impress_ui.pictures.images import to_images
from impress_ui.settings import PurifySettings, purifier_of, words_of
from impress_ui.settings.stress import USUAL
from tests.unit.small_checkpoints import small_pixel_unet

SIDE = 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A DDPM pipeline's layout, with random weights."""
    small_pixel_unet().save_pretrained(tmp_path / "model/unet")
    DDPMScheduler().save_pretrained(tmp_path / "model/scheduler")
    return tmp_path / "model"


def settings_of(folder: Path, **values: float) -> PurifySettings:
    return PurifySettings(method="pixel-diffusion", pixel_model=str(folder), pixel_steps=2, **values)


def made(x: Tensor, settings: PurifySettings, embedded: Autoencoder, seed: int = 0) -> Tensor:
    result = run_to_end(purify(x, settings, embedded, seed=seed)).result
    assert result is not None
    return result


def knowing(picture: Tensor, prediction: str, **schedule: object) -> PixelModel:
    """A model of one picture alone: whatever noise it is given, it names that which was added to the picture."""
    scheduler = DDPMScheduler(prediction_type=prediction, **schedule)

    def unet(noised: Tensor, time: Tensor) -> SimpleNamespace:
        a = scheduler.alphas_cumprod[time]
        noise = (noised - a.sqrt() * picture) / (1 - a).sqrt()
        v = a.sqrt() * noise - (1 - a).sqrt() * picture
        answers = {"epsilon": noise, "v_prediction": v, "sample": picture.expand_as(noised)}
        return SimpleNamespace(sample=answers[prediction])

    return PixelModel(unet, dict(scheduler.config), SIDE)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize(("strength", "steps"), [(0.1, 5), (0.03, 1), (0.3, 7), (1, 10)])
def test_a_model_that_knows_the_picture_brings_it_back(prediction: str, strength: float, steps: int) -> None:
    known = torch.tensor([0.25, -0.5, 0.75]).view(1, 3, 1, 1)
    random = torch.Generator().manual_seed(0)
    x, noise = torch.rand(2, 3, SIDE, SIDE, generator=random) * 2 - 1, torch.randn(2, 3, SIDE, SIDE, generator=random)
    shares, pictures = zip(*knowing(known, prediction).denoised(x, noise, strength, steps), strict=True)
    assert shares == pytest.approx([(number + 1) / steps for number in range(steps)])
    assert (pictures[-1] - known).abs().max() < 1e-4


def test_the_way_back_is_ddim_s_for_pictures_of_known_scatter() -> None:
    """Of pictures N(0, s²) the best prediction is linear, and so is DDIM's step: a product of factors."""
    scheduler, s = DDPMScheduler(clip_sample=False), 0.3

    def scatter(a: Tensor) -> Tensor:
        return (a * s**2 + 1 - a).sqrt()

    def unet(noised: Tensor, time: Tensor) -> SimpleNamespace:
        a = scheduler.alphas_cumprod[time]
        return SimpleNamespace(sample=(1 - a).sqrt() * noised / scatter(a) ** 2)

    x, noise = torch.full((1, 3, SIDE, SIDE), 0.2), torch.ones(1, 3, SIDE, SIDE)
    *_, (_, back) = PixelModel(unet, dict(scheduler.config), SIDE).denoised(x, noise, 0.1, 100)
    a = scheduler.alphas_cumprod[99]
    noised = a.sqrt() * x + (1 - a).sqrt() * noise
    # The exact flow keeps a picture's place in the scatter: s / scatter(a); a hundred steps come close to it.
    assert torch.allclose(back, noised * s / scatter(a), rtol=0.02)


@pytest.mark.parametrize(("strength", "steps"), [(0.1, 5), (0.01, 50), (0.3, 5), (0.07, 7), (1, 3), (0.999, 1)])
@pytest.mark.parametrize("times", [1000, 100, 40])
def test_the_strides_are_the_scheduler_s_own_and_stay_within_the_strength(
    strength: float, steps: int, times: int
) -> None:
    scheduler = DDIMScheduler(num_train_timesteps=times)
    way = pixel_diffusion._times(scheduler, strength, steps).tolist()
    stride = times // scheduler.num_inference_steps
    assert 1 <= len(way) <= steps and way[-1] == stride - 1  # from which one more stride ends without noise
    assert all(before - after == stride for before, after in pairwise(way))
    assert way[0] + 1 <= max(1, strength * times + 1e-6)


def test_it_is_noise_and_a_repeatable_answer(folder: Path, batch: Tensor, embedded: Autoencoder) -> None:
    x = batch[:2, :, :37, :29]
    settings = settings_of(folder, pixel_strength=0.2, pixel_rounds=2)
    first = made(x, settings, embedded)
    assert first.shape == x.shape and torch.equal(first, made(x, settings, embedded))
    assert not torch.equal(first, made(x, settings, embedded, seed=1))
    assert (first[1:] - made(x[1:], settings, embedded)).abs().max() <= 1.01 * 2 / 255  # alone as among others


@pytest.mark.parametrize("size", [(16, 16), (5, 7), (16, 40), (1, 1), (33, 17)])
def test_any_size_comes_back_as_it_is(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, batch: Tensor, embedded: Autoencoder
) -> None:
    """By a model that sees no noise, which gives a gently noised picture back nearly as it was."""
    schedule = dict(DDPMScheduler().config)
    silent = PixelModel(lambda x, _: SimpleNamespace(sample=torch.zeros_like(x)), schedule, SIDE)
    monkeypatch.setattr(pixel_diffusion, "pixel_model", lambda *_: silent)
    x = batch[:1, :, : size[0], : size[1]]
    result = made(x, PurifySettings(method="pixel-diffusion", pixel_strength=0.01), embedded)
    assert result.shape == x.shape
    assert (result - x).abs().mean() < 0.06  # the noise itself: deviation 0.044 in [-1, 1]
    blended = made(x, PurifySettings(method="pixel-diffusion", pixel_strength=0.01, pixel_blend=0.9), embedded)
    assert (blended - x).abs().mean() < 0.01


def test_a_small_picture_is_mirrored_as_far_as_a_tile() -> None:
    x = torch.arange(3.0).view(1, 1, 1, 3).expand(1, 3, 2, 3)
    large = enlarged_to(x, 8)
    assert large.shape == (1, 3, 8, 8) and large[0, 0, 7].tolist() == [0, 1, 2, 2, 1, 0, 0, 1]
    assert enlarged_to(large, 8) is large


def test_rounds_and_steps_are_told_and_a_stop_keeps_what_is_there(
    folder: Path, batch: Tensor, embedded: Autoencoder
) -> None:
    settings = settings_of(folder, pixel_rounds=3)
    asked = iter([False, False, True])
    steps = list(purify(batch[:1], settings, embedded, should_stop=lambda: next(asked)))
    assert [step.index for step in steps] == [1, 2, 3] and {step.steps for step in steps} == {6}
    assert steps[-1].stopped and steps[-1].result is not None
    few = settings.model_copy(update={"pixel_rounds": 1, "pixel_strength": 0.01, "pixel_steps": 30})
    told = list(purify(batch[:1], few, embedded))  # ten times are all there are
    assert [step.index for step in told] == list(range(3, 31, 3)) and not told[-1].stopped


def test_it_goes_through_words_and_nobody_is_asked_for_a_folder_who_has_none(
    batch: Tensor, embedded: Autoencoder
) -> None:
    settings = purifier_of("pixel-diffusion 0.05 pixel_model=a/b pixel_rounds=4")
    assert (settings.pixel_strength, settings.pixel_model, settings.pixel_rounds) == (0.05, "a/b", 4)
    assert purifier_of(words_of(settings)) == settings
    assert not any("pixel-diffusion" in words for words in USUAL)
    with pytest.raises(UserError, match="Pixel diffusion needs a model"):
        next(purify(batch, PurifySettings(method="pixel-diffusion"), embedded))


def test_its_time_is_told_by_the_model_s_own_tiles(
    folder: Path, batch: Tensor, embedded: Autoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "PACE", {})
    settings = settings_of(folder)
    assert costs.expected_seconds(settings, (64, 64)) is None
    costs.measure_pace([settings], to_images(batch)[0], embedded, None)
    one, many = (costs.expected_seconds(settings, (side, side)) for side in (SIDE, 64))
    assert one > 0 and many == pytest.approx(tile_count(64, 64, SIDE) * one)
    lacking = settings.model_copy(update={"pixel_model": "nowhere"})
    assert costs.expected_seconds(lacking, (64, 64)) is None  # another model has another pace


def test_the_layouts_of_diffusers_are_read_and_kept(folder: Path, tmp_path: Path) -> None:
    known = pixel_model(str(folder), "cpu")
    assert known.unet is pixel_model(str(folder), "cpu").unet and known.side == SIDE
    small_pixel_unet().save_pretrained(tmp_path / "bare", variant="fp16")
    bare = pixel_model(str(tmp_path / "bare"), "cpu")
    assert bare.schedule["prediction_type"] == "epsilon" and bare.schedule["beta_schedule"] == "linear"
    x = torch.randn(1, 3, SIDE, SIDE)
    with torch.no_grad():
        assert torch.allclose(bare.unet(x, 3).sample, small_pixel_unet().eval()(x, 3).sample, atol=1e-5)
    DDPMScheduler(prediction_type="v_prediction").save_pretrained(tmp_path / "bare")
    assert pixel_model(str(tmp_path / "bare"), "cpu").schedule["prediction_type"] == "v_prediction"


def changed(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def _pickled(folder: Path) -> None:
    (folder / "unet/diffusion_pytorch_model.safetensors").rename(folder / "unet/diffusion_pytorch_model.bin")


def _pickled_alone(folder: Path) -> None:
    (folder / "unet").rename(folder / "other")
    (folder / "model.pt").write_bytes(b"")


def _scheduler_of_sigmas(folder: Path) -> None:
    (folder / "scheduler/scheduler_config.json").write_text('{"_class_name": "ScoreSdeVeScheduler", "sigma_max": 1}')


def _one_weight_short(folder: Path) -> None:
    file = folder / "unet/diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights.pop("conv_in.bias")
    save_file(weights, file)


CONFIG, SCHEDULER = "unet/config.json", "scheduler/scheduler_config.json"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
WRONG: dict[str, Callable[[Path], object]] = {
    "holds no pixel diffusion model": lambda folder: (folder / "unet").rename(folder / "other"),
    "damaged unet/config.json": lambda folder: (folder / CONFIG).write_text("{"),
    "damaged scheduler_config.json": lambda folder: (folder / SCHEDULER).write_text("[]"),
    "of class UNet2DConditionModel": lambda folder: changed(folder / CONFIG, _class_name="UNet2DConditionModel"),
    "3 channels in and 6 out": lambda folder: changed(folder / CONFIG, out_channels=6),
    "1 channels in and 3 out": lambda folder: changed(folder / CONFIG, in_channels=1),
    "wants a class": lambda folder: changed(folder / CONFIG, num_class_embeds=10),
    "sample_size 17 of the pixel diffusion model model is no multiple of 2": lambda folder: changed(
        folder / CONFIG, sample_size=17
    ),
    "no square sample_size": lambda folder: changed(folder / CONFIG, sample_size=[16, 32]),
    "safetensors weights in unet/": _pickled,
    "safetensors weights in it": _pickled_alone,
    r"has no unet/diffusion_pytorch_model\.safetensors": lambda folder: (folder / WEIGHTS).unlink(),
    "do not fit its config": lambda folder: (folder / WEIGHTS).write_text("no weights"),
    "model do not fit its config": _one_weight_short,
    "do not fit its config, or": lambda folder: changed(folder / CONFIG, block_out_channels=[8, 24]),
    "has no betas": _scheduler_of_sigmas,
    "predicts 'flow'": lambda folder: changed(folder / SCHEDULER, prediction_type="flow"),
    "git lfs pull": lambda folder: (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1"),
    "cannot be read": lambda folder: (folder / "unet/diffusion_pytorch_model.safetensors.index.json").write_text("{}"),
    "wrong SHA-256": lambda folder: (folder / "SHA256SUMS").write_text(f"{'0' * 64}  {WEIGHTS}\n"),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_folder_of_another_kind_is_refused(sentence: str, folder: Path) -> None:
    WRONG[sentence](folder)
    with pytest.raises(UserError, match=sentence):
        pixel_model(str(folder), "cpu")


@pytest.mark.parametrize(
    "values",
    [
        {"beta_schedule": "foo"}, {"num_train_timesteps": 0}, {"num_train_timesteps": "abc"}, {"beta_start": "x"},
        {"trained_betas": [0.1, 0.2]}, {"beta_end": 40}, {"clip_sample_range": "x"}, {"timestep_spacing": "foo"},
    ],
)  # fmt: skip
def test_a_scheduler_that_cannot_be_run_is_refused(
    values: dict[str, object], folder: Path, embedded: Autoencoder
) -> None:
    changed(folder / SCHEDULER, **values)
    with pytest.raises(UserError, match=r"The scheduler_config\.json of the pixel diffusion model model has times"):
        check_ready([settings_of(folder)], embedded)


def test_betas_that_only_a_ddpm_knows_are_its_own(folder: Path, batch: Tensor, embedded: Autoencoder) -> None:
    scheduler = DDPMScheduler(beta_schedule="sigmoid")
    scheduler.save_pretrained(folder / "scheduler")
    schedule = pixel_model(str(folder), "cpu").schedule
    assert torch.equal(DDIMScheduler.from_config(schedule).alphas_cumprod, scheduler.alphas_cumprod)
    assert made(batch[:1, :, :16, :16], settings_of(folder), embedded).isfinite().all()


@pytest.mark.parametrize("place", ["nowhere", "x" * 5000, "\0", "~nobody-at-all/model"])
def test_a_folder_that_is_not_there_is_refused(place: str) -> None:
    with pytest.raises(UserError, match="no folder"):
        pixel_folder(place)


def test_a_step_shows_what_the_model_sees(folder: Path, batch: Tensor, embedded: Autoencoder) -> None:
    steps: list[Step] = list(purify(batch[:1], settings_of(folder), embedded))
    assert [step.result is None for step in steps] == [True, False]
    assert all(step.image.shape == batch[:1].shape and step.image.abs().max() <= 1 for step in steps)
    assert isinstance(pixel_model(str(folder), "cpu").unet, UNet2DModel)
