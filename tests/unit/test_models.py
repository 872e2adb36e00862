from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL

from impress_ui.core.errors import UserError
from impress_ui.core.models import Autoencoder, load_autoencoder, pick_device
from impress_ui.core.optimise import run_to_end
from impress_ui.core.protect import protect
from impress_ui.core.purify import purify
from impress_ui.core.vgg_autoencoder import VGGAutoencoder
from impress_ui.settings import ProtectSettings, PurifySettings, RunSettings


def tiny() -> VGGAutoencoder:
    torch.manual_seed(0)
    return VGGAutoencoder(block_out_channels=(8, 8, 8), blocks_per_stage=(1, 1, 1), head_channels=8, scaling_factor=0.5)


def test_the_embedded_class_keeps_the_contract_of_diffusers() -> None:
    model, x = tiny(), torch.rand(2, 3, 64, 48) * 2 - 1
    posterior = model.encode(x).latent_dist
    assert posterior.mode().shape == (2, 4, 16, 12)
    assert model.encode(x, return_dict=False)[0].mode().shape == (2, 4, 16, 12)
    assert torch.equal(posterior.mode(), posterior.mean)
    assert model.decode(posterior.mode()).sample.shape == x.shape
    assert torch.equal(model(x).sample, model.decode(posterior.mode(), return_dict=False)[0])
    # diffusers' pipelines derive the latents' size from this length.
    assert 2 ** (len(model.config.block_out_channels) - 1) == 64 // 16


def test_saved_and_loaded_as_a_folder(tmp_path: Path) -> None:
    model, x = tiny(), torch.rand(1, 3, 32, 32)
    model.save_pretrained(tmp_path / "vae")
    assert [path.suffix for path in (tmp_path / "vae").iterdir() if path.suffix != ".json"] == [".safetensors"]
    loaded = load_autoencoder(RunSettings(checkpoint=str(tmp_path)))
    assert loaded.scaling_factor == 0.5
    assert torch.allclose(loaded.reconstruct(x), model(x).sample, atol=1e-5)
    assert load_autoencoder(RunSettings(checkpoint=str(tmp_path))) is loaded
    assert not any(parameter.requires_grad for parameter in loaded.module.parameters())


@pytest.mark.parametrize("size", [(64, 64), (61, 77), (33, 40)])
def test_any_size_is_padded_and_cropped_back(embedded: Autoencoder, size: tuple[int, int]) -> None:
    x = torch.rand(1, 3, *size) * 2 - 1
    assert embedded.reconstruct(x).shape == x.shape
    if size == (64, 64):
        assert torch.allclose(embedded.reconstruct(x), embedded.module(x).sample, atol=1e-5)


def test_stable_diffusions_class_runs_through_the_same_code(
    stable_diffusion_like: AutoencoderKL, tmp_path: Path, batch: torch.Tensor
) -> None:
    stable_diffusion_like.save_pretrained(tmp_path / "vae")
    autoencoder = load_autoencoder(RunSettings(checkpoint=str(tmp_path)))
    assert autoencoder.similarity_network("auto") == "vgg"
    x = batch[:1, :, :48, :40]
    protected = run_to_end(protect(x, ProtectSettings(steps=3), autoencoder)).result
    for settings in (PurifySettings(steps=3), PurifySettings(recipe="paper", steps=3)):
        purified = run_to_end(purify(protected, settings, autoencoder)).result
        assert purified.shape == x.shape and not torch.equal(purified, protected)


def test_half_precision_keeps_float32_pixels(embedded: Autoencoder, batch: torch.Tensor) -> None:
    half = load_autoencoder(RunSettings(precision="bfloat16"))
    assert half.dtype == torch.bfloat16
    with torch.no_grad():
        rough, exact = half.reconstruct(batch), embedded.reconstruct(batch)
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().mean() < 0.03


def test_the_similarity_network_avoids_the_encoders_own(embedded: Autoencoder) -> None:
    assert embedded.similarity_network("auto") == "alex"
    assert embedded.similarity_network("vgg") == "vgg"


def test_bad_checkpoints_get_one_sentence(tmp_path: Path) -> None:
    def refused(words: str, checkpoint: Path) -> None:
        with pytest.raises(UserError) as caught:
            load_autoencoder(RunSettings(checkpoint=str(checkpoint)))
        assert words in str(caught.value) and "\n" not in str(caught.value)

    refused("no checkpoint folder", tmp_path / "nowhere")
    refused("holds no autoencoder", tmp_path)
    folder = tmp_path / "x" / "vae"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{")
    refused("damaged", tmp_path / "x")
    (folder / "config.json").write_text(json.dumps({"_class_name": "Other"}))
    refused("class Other", tmp_path / "x")
    tiny().save_pretrained(folder)
    weights = folder / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    refused("cannot be loaded", tmp_path / "x")
    weights.unlink()
    (folder / "diffusion_pytorch_model.bin").write_bytes(b"\x80")
    refused("no safetensors", tmp_path / "x")


def test_a_device_that_is_not_there_is_named() -> None:
    assert pick_device("cpu") == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no cuda device"):
            pick_device("cuda")
