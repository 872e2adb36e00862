from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, DPMSolverMultistepScheduler, PNDMScheduler
from small_checkpoints import TOKENS, WIDTH, save_own, save_sd, save_sd3, save_sdxl

from impress_ui.errors import UserError
from impress_ui.models import diffusion_model
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.models.checkpoints import find_source
from impress_ui.models.diffusion_model import DiffusionModel, Task, load_diffusion_model
from impress_ui.settings import EMBEDDED, RunSettings, Sampler

PROMPT = "an oil painting of a mountain"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {
        "sd": save_sd(root / "sd"),
        "inpainting": save_sd(root / "inpainting", in_channels=9),
        "sdxl": save_sdxl(root / "sdxl"),
        "sd3": save_sd3(root / "sd3"),
        "own": save_own(root / "own"),
    }


@pytest.fixture
def load(folders: dict[str, Path]) -> Callable[..., DiffusionModel]:
    return lambda kind, **run: load_diffusion_model(RunSettings(checkpoint=str(folders[kind]), **run))


def sample(pipeline: Any, task: Task, **options: Any) -> torch.Tensor:
    """Two steps at 64 pixels, from seed 0: (1, 3, 64, 64) in [0, 1]."""
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    options |= {"height": 64, "width": 64} if task != "img2img" else {}
    options |= {"image": picture, "strength": 1.0} if task != "text2img" else {}
    if task == "inpaint":
        options["mask_image"] = (torch.arange(64) < 32).float().expand(1, 1, 64, 64)
    return pipeline(
        prompt=[PROMPT],
        negative_prompt=[""],
        num_inference_steps=2,
        guidance_scale=3.0,
        generator=[torch.Generator().manual_seed(0)],
        output_type="pt",
        **options,
    ).images


@pytest.mark.parametrize(
    ("kind", "family", "multiple", "size"),
    [("sd", "sd", 64, 512), ("inpainting", "sd", 64, 512), ("sdxl", "sdxl", 32, 1024), ("own", "sd", 16, 128)],
)
def test_each_kind_is_recognised(
    load: Callable[..., DiffusionModel], kind: str, family: str, multiple: int, size: int
) -> None:
    model = load(kind)
    assert (model.family, model.multiple, model.size) == (family, multiple, size)
    assert model.inpainting == (kind == "inpainting")
    assert model.describe().startswith(f"{kind} on cpu, float32")
    for module in (model.unet, *model.text_encoders, model.autoencoder.module):
        assert not module.training and not any(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize("sampler", ["checkpoint", "ddim", "dpm++"])
@pytest.mark.parametrize(
    ("kind", "task"),
    [(kind, task) for kind in ("sd", "sdxl", "own") for task in ("text2img", "img2img", "inpaint")]
    + [("inpainting", "inpaint")],
)
def test_pipelines_run(load: Callable[..., DiffusionModel], kind: str, task: Task, sampler: Sampler) -> None:
    model = load(kind)
    made = sample(model.pipeline(task, sampler), task)
    assert made.shape == (1, 3, 64, 64) and made.isfinite().all() and 0 <= made.min() < made.max() <= 1
    if sampler == "checkpoint":  # whose scheduler has a state, if any has
        assert torch.equal(made, sample(model.pipeline(task, sampler), task))


@pytest.mark.parametrize(("kind", "task"), [("sd", "text2img"), ("inpainting", "inpaint"), ("sdxl", "text2img")])
def test_the_pictures_are_those_of_diffusers_own_loading(
    load: Callable[..., DiffusionModel], folders: dict[str, Path], kind: str, task: Task
) -> None:
    unchecked = {} if kind == "sdxl" else {"safety_checker": None, "feature_extractor": None}
    theirs = DiffusionPipeline.from_pretrained(folders[kind], **unchecked)
    theirs.set_progress_bar_config(disable=True)
    assert torch.allclose(sample(load(kind).pipeline(task, "checkpoint"), task), sample(theirs, task), atol=1e-4)


def test_every_pipeline_has_a_scheduler_of_its_own(load: Callable[..., DiffusionModel]) -> None:
    model = load("sd")
    kinds = {"checkpoint": PNDMScheduler, "ddim": DDIMScheduler, "dpm++": DPMSolverMultistepScheduler}
    for sampler, cls in kinds.items():
        one, other = model.pipeline("img2img", sampler), model.pipeline("img2img", sampler)
        assert type(one.scheduler) is cls and one.scheduler is not other.scheduler
        assert one.unet is other.unet is model.unet
        assert one.scheduler.config.beta_schedule == "scaled_linear" and one.scheduler.config.steps_offset == 1
    # Latents are not pixels: DDIM's default of clipping them to [-1, 1] must not come in.
    assert model.pipeline("inpaint", "ddim").scheduler.config.clip_sample is False


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize(("kind", "task"), [("sd", "inpaint"), ("sdxl", "img2img")])
def test_half_precision_leaves_the_shared_autoencoder_as_it_is(
    load: Callable[..., DiffusionModel], kind: str, task: Task, precision: str
) -> None:
    model = load(kind, precision=precision)
    before = {name: weights.clone() for name, weights in model.autoencoder.module.state_dict().items()}
    assert sample(model.pipeline(task, "ddim"), task).isfinite().all()
    assert str(model.dtype) == f"torch.{precision}"
    # SDXL's pipelines would convert it to float32 and leave it in float16.
    assert model.autoencoder.dtype == (torch.float32 if (kind, precision) == ("sdxl", "float16") else model.dtype)
    after = model.autoencoder.module.state_dict()
    assert all(after[name].dtype == old.dtype and torch.equal(after[name], old) for name, old in before.items())


def test_loading_leaves_torch_s_default_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another thread builds meanwhile would be of half precision, and stay so."""
    chosen: list[torch.dtype] = []
    monkeypatch.setattr(torch, "set_default_dtype", chosen.append)
    diffusion_model._load(RunSettings(), find_source(EMBEDDED), "cpu")
    assert set(chosen) <= {torch.float32}


def test_model_offload_gives_the_same_picture(folders: dict[str, Path], load: Callable[..., DiffusionModel]) -> None:
    pytest.importorskip("accelerate")
    plain = sample(load("sdxl").pipeline("img2img", "ddim"), "img2img")
    spare = load("sdxl")
    model = DiffusionModel(
        spare.autoencoder, spare.tokenizers, spare.text_encoders, spare.unet, spare.scheduler("ddim"), offload=True
    )
    try:
        for _ in range(2):
            assert torch.equal(sample(model.pipeline("img2img", "ddim"), "img2img"), plain)
        assert "model offload" in model.describe()
    finally:
        model.pipeline("img2img", "ddim").remove_all_hooks()


def test_offload_is_for_graphics_memory_that_is_short(
    monkeypatch: pytest.MonkeyPatch, load: Callable[..., DiffusionModel]
) -> None:
    unet = load("sd").unet
    weights = 4 * sum(parameter.numel() for parameter in unet.parameters())
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: weights // 2)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 0)
    for free, short in ((weights, False), (weights // 2, True)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda free=free: (free, 2 * weights))
        assert diffusion_model._short_of_memory("cuda", [unet]) is short
    assert not diffusion_model._short_of_memory("cpu", [unet])


def test_a_prompt_is_embedded_as_the_pipeline_does_it(load: Callable[..., DiffusionModel]) -> None:
    for kind in ("sd", "inpainting"):
        model = load(kind)
        ids = model.tokenizers[0](PROMPT, padding="max_length", max_length=TOKENS, return_tensors="pt").input_ids
        embedded = model.embed(PROMPT)
        assert embedded.shape == (1, TOKENS, WIDTH) and not embedded.requires_grad
        assert torch.equal(embedded, model.text_encoders[0](ids).last_hidden_state)
        pipeline = model.pipeline("inpaint", "checkpoint")
        assert torch.equal(embedded, pipeline.encode_prompt(PROMPT, "cpu", 1, False)[0])
        assert not torch.equal(embedded, model.embed("a photograph"))
    with pytest.raises(UserError, match="of the SDXL kind"):
        load("sdxl").embed(PROMPT)


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_a_prompt_may_not_be_cut_off(load: Callable[..., DiffusionModel], kind: str) -> None:
    model = load(kind)
    for prompt in ("", PROMPT, "a " * 75):
        model.check_prompt(prompt)
    with pytest.raises(UserError, match=r"has 76 tokens .* 75 fit"):
        model.check_prompt("a " * 76)


def test_a_tokenizer_saved_without_its_limit_gets_the_text_encoders(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders["sd"], tmp_path / "sd")
    config = folder / "tokenizer/tokenizer_config.json"
    config.write_text(config.read_text().replace('"model_max_length": 77,', ""))
    model = load_diffusion_model(RunSettings(checkpoint=str(folder)))
    assert model.embed(PROMPT).shape == (1, TOKENS, WIDTH)
    with pytest.raises(UserError, match="75 fit"):
        model.check_prompt("a " * 76)


def test_the_autoencoder_is_the_one_of_the_other_tasks(
    load: Callable[..., DiffusionModel], folders: dict[str, Path]
) -> None:
    model = load("sd")
    assert model.autoencoder is load_autoencoder(RunSettings(checkpoint=str(folders["sd"])))
    for kind in ("sdxl", "sd3"):  # which push it out of the memory of load_autoencoder
        load_autoencoder(RunSettings(checkpoint=str(folders[kind])))
    assert load("sd") is model
    assert model.autoencoder is load_autoencoder(RunSettings(checkpoint=str(folders["sd"])))


def test_it_is_loaded_once_for_all_threads(load: Callable[..., DiffusionModel]) -> None:
    load("sdxl")  # pushes the others out
    models: list[DiffusionModel] = []
    threads = [threading.Thread(target=lambda: models.append(load("sd"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(models) == 4 and len(set(map(id, models))) == 1
    assert len(diffusion_model._loaded) == 1


def test_what_a_checkpoint_cannot_do_is_told(
    load: Callable[..., DiffusionModel], folders: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="sd3 can protect, reconstruct and purify but not edit"):
        load("sd3")
    with pytest.raises(UserError, match="schnell can protect, reconstruct and purify but not edit"):
        load_diffusion_model(RunSettings(checkpoint="black-forest-labs/FLUX.1-schnell"))
    for task in ("text2img", "img2img"):
        with pytest.raises(UserError, match="can only inpaint: use the inpaint mode with a mask, or an ordinary"):
            load("inpainting").pipeline(task, "checkpoint")
    odd = save_sd(tmp_path / "odd", in_channels=5)
    with pytest.raises(UserError, match="takes 5 channels, neither an ordinary one's 4 nor an inpainting one's 9"):
        load_diffusion_model(RunSettings(checkpoint=str(odd)))


def test_a_missing_part_is_told_before_anything_large_is_loaded(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(folders["sdxl"], tmp_path / "sdxl")
    shutil.rmtree(folder / "text_encoder_2")
    monkeypatch.setattr(diffusion_model, "load_part", lambda *args, **kwargs: pytest.fail("something was loaded"))
    with pytest.raises(UserError, match=r"has no text_encoder_2/config\.json, which editing and generating need"):
        load_diffusion_model(RunSettings(checkpoint=str(folder)))


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_truncated_weights_are_told(folders: dict[str, Path], tmp_path: Path, part: str) -> None:
    folder = shutil.copytree(folders["sd"], tmp_path / "sd")
    weights = next((folder / part).glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match=rf"cannot be loaded \(\w+ in its {part}\); its files may be incomplete"):
        load_diffusion_model(RunSettings(checkpoint=str(folder), precision="bfloat16"))
    assert torch.get_default_dtype() == torch.float32
