"""Checkpoints in one file: every tensor arrives where it belongs, and what is none is told in a sentence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import open_clip
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from impress_ui.errors import UserError
from impress_ui.methods.edit import edit
from impress_ui.models.autoencoder import load_autoencoder, load_part
from impress_ui.models.checkpoints import find_source
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.models.single_file import _unet
from impress_ui.models.single_file_head import Header
from impress_ui.settings import EditSettings, RunSettings
from tests.unit.single_files import save_sd1, save_sd2, save_sdxl, small_vae, unet_of_old, vae_of_old

Saved = tuple[Path, dict[str, nn.Module]]
KINDS: dict[str, Callable[[Path], dict[str, nn.Module]]] = {
    "sd1": save_sd1,
    "sd1-inpainting": lambda file: save_sd1(file, channels=9),
    "sd2": save_sd2,
    "sdxl": save_sdxl,
}


@pytest.fixture(scope="module", params=KINDS)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    file = tmp_path_factory.mktemp("files") / f"{request.param}.safetensors"
    return file, KINDS[request.param](file)


def test_every_tensor_arrives_where_it_belongs(saved: Saved) -> None:
    file, parts = saved
    source = find_source(str(file))
    assert not source.autoencoder_only
    for name, original in parts.items():
        part = source.part(name)
        cls = getattr(diffusers if name in ("vae", "unet") else transformers, part.class_name)
        loaded = load_part(part, cls)
        ours = {key.removeprefix("text_model."): value for key, value in loaded.state_dict().items()}
        theirs = {key.removeprefix("text_model."): value for key, value in original.state_dict().items()}
        assert set(ours) == set(theirs), name
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name


def test_the_parts_compute_what_they_did(saved: Saved) -> None:
    file, parts = saved
    unet = load_part(find_source(str(file)).part("unet"), diffusers.UNet2DConditionModel)
    original = parts["unet"]
    torch.manual_seed(3)
    latent = torch.randn(1, original.config.in_channels, 8, 8)
    text = torch.randn(1, 5, original.config.cross_attention_dim)
    more = {}
    if original.config.addition_embed_type:
        more = {"added_cond_kwargs": {"text_embeds": torch.randn(1, 128), "time_ids": torch.rand(1, 6)}}
    with torch.no_grad():  # heads and projections are no tensors: only the result tells them
        ours, theirs = (each(latent, 10, text, **more).sample for each in (unet, original))
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_it_edits_a_picture(saved: Saved) -> None:
    model = load_diffusion_model(RunSettings(checkpoint=str(saved[0])))
    assert model.tokenizers[0]("a painting")["input_ids"] == [49406, 320, 3086, 49407]
    settings = EditSettings(sampling_steps=2, strength=1.0, mode="inpaint" if model.inpainting else "img2img")
    image = Image.new("RGB", (64, 64), (90, 120, 200))
    mask = Image.new("L", (64, 64), 255) if model.inpainting else None
    last = list(edit([image], settings, model, seed=1, mask=mask))[-1]
    assert last.results is not None and last.results[0].size == (64, 64)


def test_the_vocabulary_is_clips(saved: Saved) -> None:
    part = find_source(str(saved[0])).part("tokenizer")
    tokenizer, clips = load_part(part, transformers.CLIPTokenizer), open_clip.SimpleTokenizer()
    for text in ("a photo of a cat's 3 naïve Straßen, in 2026!", "  Oil   Painting of É ", "日本 🏔️"):
        theirs = clips(text)[0].tolist()
        if part.config["pad_token"] == "!":  # a token of its own then, as in the folders that diffusers publishes
            theirs = [0 if token == 256 else token for token in theirs]
        assert tokenizer(text).input_ids == theirs[: theirs.index(49407) + 1], text


@pytest.mark.parametrize(
    ("name", "channels", "prefix", "scaling"),
    [
        ("vae-ft-mse-840000-ema-pruned.safetensors", 4, "", 0.18215),
        ("sdxl_vae.safetensors", 4, "", 0.13025),
        ("old.safetensors", 4, "first_stage_model.", 0.18215),
        ("ae.safetensors", 16, "", 0.3611),
    ],
)
def test_an_autoencoder_alone(tmp_path: Path, name: str, channels: int, prefix: str, scaling: float) -> None:
    original = small_vae(latent_channels=channels)
    save_file(vae_of_old(original, prefix), tmp_path / name)
    run = RunSettings(checkpoint=str(tmp_path / name))
    loaded = load_autoencoder(run)
    assert loaded.scaling_factor == scaling
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        expected = original.encode(x).latent_dist.mode()
    assert torch.allclose(loaded.encode(x), expected, atol=1e-5)
    assert find_source(run.checkpoint).autoencoder_only
    with pytest.raises(UserError, match="not edit or generate"):
        load_diffusion_model(run)


@pytest.mark.parametrize(
    ("told", "beside", "expected"),
    [
        ({}, "", "epsilon"),
        ({"modelspec.prediction_type": "v"}, "", "v_prediction"),
        ({}, "model:\n  params:\n    parameterization: \"v\"\n", "v_prediction"),
    ],
)  # fmt: skip
def test_what_the_denoiser_predicts_is_what_its_maker_says(
    tmp_path: Path, told: dict[str, str], beside: str, expected: str
) -> None:
    save_sd2(tmp_path / "two.safetensors", told=told)
    if beside:
        (tmp_path / "two.yaml").write_text(beside)
    assert find_source(str(tmp_path / "two.safetensors")).part("scheduler").config["prediction_type"] == expected


PUBLISHED = {
    "sd1": {
        "cross_attention_dim": 768, "attention_head_dim": 8, "block_out_channels": (320, 640, 1280, 1280),
        "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    },
    "sd2": {
        "cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20), "use_linear_projection": True,
        "block_out_channels": (320, 640, 1280, 1280),
        "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    },
    "sdxl": {
        "cross_attention_dim": 2048, "attention_head_dim": (5, 10, 20), "use_linear_projection": True,
        "block_out_channels": (320, 640, 1280), "transformer_layers_per_block": (1, 2, 10),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", PUBLISHED)
def test_the_published_denoisers_are_read_off_their_shapes(layout: str) -> None:
    with torch.device("meta"):  # shapes alone: 2.6 billion weights would not fit
        unet = diffusers.UNet2DConditionModel(**PUBLISHED[layout])
    shapes = {name: tuple(value.shape) for name, value in unet_of_old(unet).items()}
    shapes["conditioner.embedders.1.model.text_projection"] = (1280, 1280)
    config = _unet(Header(shapes, {}, layout))  # type: ignore[arg-type]
    for name, value in PUBLISHED[layout].items():
        assert config[name] == (list(value) if isinstance(value, tuple) else value), name
    assert config["layers_per_block"] == 2 and config["in_channels"] == 4


def test_names_that_merging_lost_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "merged.safetensors"
    parts = save_sd1(file)
    lost = {name.replace("transformer.text_model.", "transformer."): value for name, value in load_file(file).items()}
    save_file(lost, file)
    part = find_source(str(file)).part("text_encoder")
    loaded = load_part(part, transformers.CLIPTextModel).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in parts["text_encoder"].state_dict().items())


def test_xl_is_told_by_its_denoiser_whatever_stands_around_it(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_sdxl(file)
    theirs = "conditioner.embedders.1."
    state = {name: value for name, value in load_file(file).items() if not name.startswith(theirs)}
    state[f"{theirs}transformer.text_model.embeddings.token_embedding.weight"] = torch.zeros(4, 128)
    state["cond_stage_model.logit_scale"] = torch.zeros(1)  # a stray one, as merging leaves
    save_file(state, file)
    source = find_source(str(file))
    assert source.part("vae").config["scaling_factor"] == 0.13025
    assert source.part("unet").config["attention_head_dim"] == [1, 2, 2]
    assert source.part("text_encoder").class_name == "CLIPTextModel"
    with pytest.raises(UserError, match="no text_encoder_2 of a build"):
        load_diffusion_model(RunSettings(checkpoint=str(file)))


def test_the_published_v_predictors_are_guessed(tmp_path: Path) -> None:
    file = tmp_path / "two.safetensors"
    save_sd2(file)
    told = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"
    for spread, expected, side in ((0.05, "epsilon", 64), (0.2, "v_prediction", 96)):
        save_file({**load_file(file), told: spread * torch.tensor([1.0, -1.0])}, file)
        source = find_source(str(file))
        assert source.part("scheduler").config["prediction_type"] == expected
        assert source.part("unet").config["sample_size"] == side


def test_flux_in_one_file_has_its_own_scale(tmp_path: Path) -> None:
    tensors = vae_of_old(small_vae(latent_channels=16), "vae.")
    save_file({**tensors, "model.diffusion_model.double_blocks.0.x": torch.zeros(1)}, tmp_path / "a.safetensors")
    save_file({**tensors, "model.diffusion_model.joint_blocks.0.x": torch.zeros(1)}, tmp_path / "b.safetensors")
    for name, scaling in (("a", 0.3611), ("b", 1.5305)):
        assert load_autoencoder(RunSettings(checkpoint=f"{tmp_path}/{name}.safetensors")).scaling_factor == scaling


def test_a_link_has_its_own_name_and_a_new_file_is_loaded_anew(tmp_path: Path) -> None:
    original = small_vae()
    save_file(vae_of_old(original, ""), tmp_path / "blob")
    (tmp_path / "sdxl_vae.safetensors").symlink_to(tmp_path / "blob")
    run = RunSettings(checkpoint=f"{tmp_path}/sdxl_vae.safetensors")
    x = torch.rand(1, 3, 32, 32)
    first = load_autoencoder(run)
    assert first.scaling_factor == 0.13025
    with torch.no_grad():
        original.encoder.conv_in.weight *= 2
    save_file(vae_of_old(original, ""), tmp_path / "blob")
    os.utime(tmp_path / "blob", (1, 1))
    assert not torch.allclose(load_autoencoder(run).encode(x), first.encode(x))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is right, to be spoilt in copies."""
    file = tmp_path_factory.mktemp("good") / "model.safetensors"
    save_sd1(file)
    return file


def _with(file: Path, **tensors: torch.Tensor) -> None:
    save_file({**load_file(file), **tensors}, file)


def _without(file: Path, ending: str) -> None:
    kept = {name: value for name, value in load_file(file).items() if not name.endswith(ending)}
    save_file(kept, file)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.rename(file.with_suffix(".ckpt")), "is a pickle"),
        (lambda file: file.write_bytes(file.read_bytes()[:5000]), "cannot be read as safetensors"),
        (lambda file: file.write_bytes(b"version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
        (lambda file: save_file({"x.lora_down.weight": torch.zeros(1)}, file), "is a LoRA"),
        (lambda file: save_file({"x": torch.zeros(1)}, file), "none of the files that are known"),
        (lambda file: save_file({"encoder.down_blocks.0.x": torch.zeros(1)}, file), "folder in diffusers' layout"),
        (lambda file: _without(file, "encoder.conv_in.weight"), "without its autoencoder"),
        (lambda file: _without(file, "middle_block.0.in_layers.0.bias"), "lacks tensors of its unet"),
        (lambda file: _without(file, "encoder.layers.1.mlp.fc1.bias"), "lacks tensors of its text_encoder"),
        (lambda file: save_sd1(file, channels=8), "takes 8 channels"),
        (lambda file: _with(file, **{"model.diffusion_model.more": torch.zeros(9)}), "holds more than is known"),
        (lambda file: _with(file, edm_mean=torch.zeros(1)), "by EDM's rule"),
        (lambda file: save_file(vae_of_old(small_vae(latent_channels=32), ""), file), "not edit or generate"),
    ],
)
def test_what_is_none_is_told_in_a_sentence(
    tmp_path: Path, good: Path, spoil: Callable[[Path], object], said: str
) -> None:
    file = Path(shutil.copy(good, tmp_path / "model.safetensors"))
    spoil(file)
    (found,) = tmp_path.iterdir()
    with pytest.raises(UserError, match=said):
        load_diffusion_model(RunSettings(checkpoint=str(found)))
