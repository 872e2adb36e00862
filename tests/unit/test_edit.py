from __future__ import annotations

import threading
from typing import get_args

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.methods.edit import SampleStep, _Handshake, clean_estimate, edit, generate
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.vgg_autoencoder import VGGAutoencoder
from impress_ui.paths import EMBEDDED_CHECKPOINT
from impress_ui.settings import EditSettings, GenerateSettings, Sampler

PROMPT = "a mosaic of the sea"


def settings(**changes: object) -> EditSettings:
    return EditSettings(**{"prompt": PROMPT, "sampling_steps": 4, "strength": 0.5, **changes})


def last_of(steps) -> SampleStep:
    last = None
    for last in steps:  # noqa: B007
        pass
    assert last is not None and last.results is not None
    return last


def half_mask(image: Image.Image) -> Image.Image:
    mask = Image.new("L", image.size, 0)
    mask.paste(255, (0, 0, image.width // 2, image.height))
    return mask


def test_the_same_picture_gets_the_same_edit(model: DiffusionModel, photographs: list[Image.Image]) -> None:
    made = last_of(edit([photographs[0], photographs[1], photographs[0]], settings(), model, seed=5)).results
    a, b, c = (np.asarray(image).astype(int) for image in made)
    assert np.abs(a - c).max() <= 1 and np.abs(a - b).max() > 20
    alone = np.asarray(last_of(edit([photographs[0]], settings(), model, seed=5)).results[0]).astype(int)
    assert np.abs(a - alone).max() <= 2
    other = np.asarray(last_of(edit([photographs[0]], settings(), model, seed=6)).results[0]).astype(int)
    assert np.abs(a - other).max() > 10


def test_strength_says_how_much_is_kept(model: DiffusionModel, photographs: list[Image.Image]) -> None:
    x = np.asarray(photographs[0]).astype(float)
    kept = [
        np.abs(np.asarray(last_of(edit(photographs[:1], settings(strength=s), model)).results[0]) - x).mean()
        for s in (0.25, 1.0)
    ]
    assert kept[0] < kept[1]


@pytest.mark.parametrize("sampler", get_args(Sampler))
def test_every_step_is_told_and_can_be_looked_at(
    sampler: str, model: DiffusionModel, little: list[Image.Image]
) -> None:
    steps = list(edit(little[:1], settings(sampler=sampler, strength=1.0), model))
    assert [step.index for step in steps] == [1, 2, 3, 4] and {step.steps for step in steps} == {4}
    assert [step.results is None for step in steps] == [True, True, True, False]
    assert steps[-1].results[0].size == little[0].size


def test_previews_come_near_the_result(model: DiffusionModel, photographs: list[Image.Image]) -> None:
    distances, previews = [], []
    for step in edit(photographs[:1], settings(sampling_steps=8), model):
        previews.append(np.asarray(step.previews()[0]).astype(float))
    distances = [np.abs(preview - previews[-1]).mean() for preview in previews[:-1]]
    assert distances[-1] < distances[0]
    assert distances[-1] < 12


def test_stop_keeps_what_is_there(model: DiffusionModel, little: list[Image.Image]) -> None:
    asked = []
    steps = list(
        edit(little[:2], settings(sampling_steps=8), model, should_stop=lambda: len(asked) > 0 or asked.append(1))
    )
    assert steps[-1].stopped and steps[-1].index == 2 and len(steps[-1].results) == 2


def test_leaving_early_ends_the_sampler(model: DiffusionModel, little: list[Image.Image]) -> None:
    before = set(threading.enumerate())  # those of other tests may end meanwhile
    steps = edit(little[:1], settings(sampling_steps=20), model)
    next(steps)
    assert set(threading.enumerate()) - before
    steps.close()
    assert not set(threading.enumerate()) - before


def test_any_size_is_edited_at_that_size(model: DiffusionModel, photographs: list[Image.Image]) -> None:
    odd = photographs[0].resize((75, 66))
    assert last_of(edit([odd], settings(sampling_steps=2), model)).results[0].size == (75, 66)


@pytest.mark.parametrize("which", ["model", "inpainting"])
def test_inpainting_repaints_the_mask_alone(
    which: str, request: pytest.FixtureRequest, photographs: list[Image.Image]
) -> None:
    model: DiffusionModel = request.getfixturevalue(which)
    image = photographs[0]
    made = last_of(edit([image], settings(mode="inpaint", strength=1.0), model, mask=half_mask(image))).results[0]
    change = np.abs(np.asarray(made).astype(int) - np.asarray(image)).max(axis=2)
    assert change[:, 32:].max() == 0 and change[:, :32].mean() > 3
    whole = last_of(
        edit([image], settings(mode="inpaint", strength=1.0, paste_back=False), model, mask=half_mask(image))
    ).results[0]
    assert np.abs(np.asarray(whole).astype(int) - np.asarray(image))[:, 32:].max() > 0


def test_mistakes_are_sentences(
    model: DiffusionModel, inpainting: DiffusionModel, photographs: list[Image.Image]
) -> None:
    image = photographs[0]
    for match, images, changes, mask in (
        ("needs a mask", [image], {"mode": "inpaint"}, None),
        ("mask is empty", [image], {"mode": "inpaint"}, Image.new("L", image.size)),
        ("does not fit", [image], {"mode": "inpaint"}, Image.new("L", (64, 20), 255)),
        ("different sizes", [image, image.resize((80, 64))], {}, None),
        ("token", [image], {"prompt": "sea " * 90}, None),
        ("token", [image], {"negative_prompt": "sea " * 90}, None),
        ("no sampling step", [image], {"strength": 0.05}, None),
    ):
        with pytest.raises(UserError, match=match):
            last_of(edit(images, settings(**changes), model, mask=mask))
    with pytest.raises(UserError, match="inpaint"):
        last_of(edit([image], settings(), inpainting))


def test_generation_is_a_function_of_its_seed(model: DiffusionModel) -> None:
    asked = GenerateSettings(prompt=PROMPT, count=2, sampling_steps=2, width=64, height=128)
    first = last_of(generate(asked, model, seed=1)).results
    again = last_of(generate(asked.model_copy(update={"count": 1}), model, seed=2)).results
    assert [image.size for image in first] == [(64, 128)] * 2
    # The second picture of seed 1 is the first one of seed 2.
    assert np.abs(np.asarray(first[1]).astype(int) - np.asarray(again[0])).max() <= 2
    assert np.abs(np.asarray(first[0]).astype(int) - np.asarray(first[1])).max() > 10


def test_diffusers_alone_loads_the_embedded_checkpoint(model: DiffusionModel) -> None:
    """It is a diffusers folder like any other, but for the class of its autoencoder."""
    vae = VGGAutoencoder.from_pretrained(EMBEDDED_CHECKPOINT / "vae", low_cpu_mem_usage=False)
    pipeline = StableDiffusionPipeline.from_pretrained(EMBEDDED_CHECKPOINT, vae=vae, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    asked = GenerateSettings(prompt=PROMPT, count=1, sampling_steps=2, width=64, height=64)
    theirs = pipeline(
        PROMPT, negative_prompt="", guidance_scale=asked.guidance, num_inference_steps=2, width=64, height=64,
        generator=torch.Generator().manual_seed(4),
    ).images[0]  # fmt: skip
    ours = last_of(generate(asked, model, seed=4)).results[0]
    assert np.abs(np.asarray(ours).astype(int) - np.asarray(theirs)).max() <= 2


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_clean_estimate_is_diffusers_own(prediction: str) -> None:
    torch.manual_seed(0)
    sample, output = torch.randn(2, 1, 4, 8, 8)
    ddim = DDIMScheduler(prediction_type=prediction, clip_sample=False)
    ddim.set_timesteps(10)
    euler = EulerDiscreteScheduler(prediction_type=prediction, beta_schedule="linear")
    euler.set_timesteps(10)
    for scheduler in (ddim, euler):
        time = scheduler.timesteps[4]
        if scheduler is euler:
            scheduler.is_scale_input_called = True
        theirs = scheduler.step(output, time, sample).pred_original_sample
        noisy = sample
        assert torch.allclose(clean_estimate(scheduler, output, time, noisy), theirs, atol=2e-3), scheduler


def test_the_handshake_hands_over_in_turn_and_passes_errors_on() -> None:
    log = []
    handshake = _Handshake()

    def work() -> None:
        for number in range(3):
            log.append(f"made {number}")
            handshake.offer(number)
        raise ValueError("at the end")

    with pytest.raises(ValueError, match="at the end"):
        for number in handshake.run(work):
            log.append(f"seen {number}")
    assert log == [f"{verb} {number}" for number in range(3) for verb in ("made", "seen")]
