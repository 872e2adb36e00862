from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from PIL import Image

from impress_ui.art.artists import Work, works
from impress_ui.errors import UserError
from impress_ui.methods.mimic import PROGRESS, SEED_STRIDE, FineTuning, imitate
from impress_ui.models.adapters import ADAPTER, load_imitator
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import GenerateSettings, MimicSettings


def quick(**changes: object) -> MimicSettings:
    return MimicSettings(**{"steps": 3, "batch": 2, "rank": 4, "preview_every": 0, **changes})


@pytest.fixture(scope="module")
def learnt() -> list[Work]:
    return works("Cobalt", "train", side=32, count=4)


def output_of(model: DiffusionModel, unet: UNet2DConditionModel) -> torch.Tensor:
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return unet(noise, 500, model.embed("a mosaic of the sea")).sample


def test_the_loss_is_the_schedulers(model: DiffusionModel, learnt: list[Work]) -> None:
    first = next(FineTuning(model, learnt, quick(flip=False), seed=2).run())
    draw = torch.Generator().manual_seed(2 * SEED_STRIDE)
    rows = torch.randint(4, (2,), generator=draw)
    times = torch.randint(1000, (2,), generator=draw)
    with torch.no_grad():
        clean = torch.cat([model.autoencoder.encode(to_tensor(learnt[row].image)) for row in rows])
        clean = model.autoencoder.to_scaled(clean)
        noise = torch.randn(clean.shape, generator=draw)
        scheduler = model.scheduler("checkpoint")  # diffusers' own arithmetic
        noisy, goal = scheduler.add_noise(clean, noise, times), scheduler.get_velocity(clean, noise, times)
        texts = torch.cat([model.embed(learnt[row].caption) for row in rows])
        expected = (model.unet(noisy, times, texts).sample - goal).square().mean()
    assert model.scheduler("checkpoint").config.prediction_type == "v_prediction"
    assert first.loss_values()["denoising error"] == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize(
    "changes",
    [{}, {"tuning": "full", "learning_rate": 1e-4}, {"adapted": "attention", "learning_rate": 2e-2}],
)
def test_a_stop_changes_nothing(
    shallow: DiffusionModel, learnt: list[Work], changes: dict[str, object], tmp_path: Path
) -> None:
    whole = FineTuning(shallow, learnt, quick(**changes), seed=1)
    before = output_of(shallow, shallow.unet)
    assert [step.index for step in whole.run()] == [1, 2, 3]
    broken = FineTuning(shallow, learnt, quick(**changes), seed=1)
    steps = list(broken.run(should_stop=lambda: broken.index == 2))
    assert [step.stopped for step in steps] == [False, True]
    broken.save(tmp_path)
    again = FineTuning(shallow, learnt, quick(**changes), seed=1)
    again.resume(tmp_path)
    assert [step.index for step in again.run()] == [3]
    expected = output_of(shallow, whole.model().unet)
    assert torch.equal(output_of(shallow, again.model().unet), expected)
    assert not torch.allclose(expected, before, atol=1e-3)  # it has learnt something
    assert torch.equal(output_of(shallow, shallow.unet), before)  # and the shared model has not
    again.save(tmp_path)
    for merged in (False, True):
        assert torch.allclose(
            output_of(shallow, load_imitator(shallow, tmp_path, merged=merged).unet), expected, atol=1e-5
        )
    assert torch.equal(output_of(shallow, shallow.unet), before)  # a merged adapter is not in the model itself


def test_it_learns(model: DiffusionModel, learnt: list[Work]) -> None:
    steps = list(FineTuning(model, learnt, quick(steps=24, batch=4, learning_rate=3e-3)).run())
    losses = [step.loss_values()["denoising error"] for step in steps]
    assert sum(losses[-8:]) < 0.9 * sum(losses[:8])


def test_diffusers_loads_the_adapter(shallow: DiffusionModel, learnt: list[Work], tmp_path: Path) -> None:
    tuning = FineTuning(shallow, learnt, quick(steps=2))
    list(tuning.run())
    tuning.save(tmp_path)
    unet = UNet2DConditionModel.from_config(shallow.unet.config)
    unet.load_state_dict(shallow.unet.state_dict())
    unet.load_lora_adapter(tmp_path, weight_name=ADAPTER, prefix=None)
    assert torch.allclose(output_of(shallow, unet), output_of(shallow, tuning.model().unet), atol=1e-5)


def test_samples_come_when_due(shallow: DiffusionModel, learnt: list[Work]) -> None:
    steps = list(FineTuning(shallow, learnt, quick(steps=4, preview_every=2), caption="the sea by Cobalt").run())
    assert [step.sample.size if step.sample else None for step in steps] == [None, (32, 32), None, (32, 32)]


def test_imitations_have_a_caption_and_a_seed_each(model: DiffusionModel) -> None:
    settings = GenerateSettings(width=64, height=64, sampling_steps=2, guidance=1)
    captions = [f"{subject} by Cobalt" for subject in ("the sea", "a city", "a canyon") * 4]
    steps = list(imitate(model, captions, settings, seed=3))
    made = [image.tobytes() for image in steps[-1].results]
    assert len(set(made)) == len(captions) and steps[-1].index == steps[-1].steps == 4
    assert len(steps[-2].previews()) == len(captions)
    stopped = list(imitate(model, captions, settings, seed=3, should_stop=lambda: True))
    assert stopped[-1].stopped and stopped[-1].results == []


def test_what_cannot_be_learnt_from_is_refused(
    model: DiffusionModel, inpainting: DiffusionModel, learnt: list[Work]
) -> None:
    with pytest.raises(UserError, match="cannot be fine-tuned"):
        FineTuning(inpainting, learnt, quick())
    with pytest.raises(UserError, match="no pictures"):
        FineTuning(model, [], quick())
    with pytest.raises(UserError, match="several sizes"):
        FineTuning(model, [learnt[0], Work(Image.new("RGB", (128, 64)), "the sea", "", "")], quick())
    with pytest.raises(UserError, match="multiples of"):
        FineTuning(model, [Work(Image.new("RGB", (66, 66)), "the sea", "", "")], quick())
    with pytest.raises(UserError, match="too long"):
        FineTuning(model, [Work(learnt[0].image, "sea " * 60, "", "")], quick())


def test_a_damaged_or_foreign_fine_tuning_is_refused(
    shallow: DiffusionModel, learnt: list[Work], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no fine-tuned model"):
        load_imitator(shallow, tmp_path)
    tuning = FineTuning(shallow, learnt, quick(steps=1))
    list(tuning.run())
    tuning.save(tmp_path)
    others = works("Cedar", "train", side=32, count=4)
    for other in (FineTuning(shallow, learnt, quick(rank=8)), FineTuning(shallow, others, quick())):
        with pytest.raises(UserError, match="of other pictures, captions or settings"):
            other.resume(tmp_path)
    FineTuning(shallow, learnt, quick(steps=5)).resume(tmp_path)  # more steps are no other fine-tuning
    for name in (ADAPTER, PROGRESS):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:200])
    with pytest.raises(UserError, match="does not fit"):
        load_imitator(shallow, tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        FineTuning(shallow, learnt, quick()).resume(tmp_path)
