from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from small_checkpoints import autoencoder as small_autoencoder
from small_checkpoints import save_sd, save_sd3, save_sdxl

from impress_ui.errors import UserError
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.models import autoencoder as models
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder, pick_device
from impress_ui.models.vgg_autoencoder import VGGAutoencoder
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


@pytest.mark.parametrize(
    ("save", "channels", "scale", "shift"),
    [(save_sd, 4, 0.18215, 0.0), (save_sdxl, 4, 0.13025, 0.0), (save_sd3, 16, 1.5305, 0.0609)],
    ids=["sd", "sdxl", "sd3"],
)
def test_every_kind_of_autoencoder_protects_and_purifies(
    save: Callable[[Path], Path], channels: int, scale: float, shift: float, tmp_path: Path, batch: torch.Tensor
) -> None:
    autoencoder = load_autoencoder(RunSettings(checkpoint=str(save(tmp_path / "x"))))
    assert (autoencoder.scaling_factor, autoencoder.shift_factor) == (scale, shift)
    assert (autoencoder.factor, autoencoder.multiple, autoencoder.similarity_network("auto")) == (8, 8, "vgg")
    x = batch[:1, :, :40, :44]
    with torch.no_grad():
        z = autoencoder.encode(x)
        assert z.shape == (1, channels, 5, 6)
        assert torch.allclose(autoencoder.to_scaled(z), (z - shift) * scale)
        assert torch.allclose(autoencoder.to_unscaled(autoencoder.to_scaled(z)), z, atol=1e-6)
    steps = list(protect(x, ProtectSettings(steps=3), autoencoder))
    assert steps[-1].result is not None and not torch.equal(steps[-1].result, x)
    purified = run_to_end(purify(steps[-1].result, PurifySettings(steps=2), autoencoder)).result
    assert purified.shape == x.shape and purified.isfinite().all()


def test_an_autoencoder_without_factors_has_the_defaults_of_diffusers(tmp_path: Path) -> None:
    loaded = load_autoencoder(RunSettings(checkpoint=str(save_sd(tmp_path / "sd"))))
    assert "scaling_factor" not in json.loads((tmp_path / "sd/vae/config.json").read_text())
    assert (loaded.scaling_factor, loaded.shift_factor) == (0.18215, 0.0)


def test_purifying_loads_the_autoencoder_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = save_sd(tmp_path / "sd")
    for cls in (UNet2DConditionModel, transformers.CLIPTextModel, transformers.CLIPTokenizer):
        monkeypatch.setattr(cls, "from_pretrained", lambda *args, **kwargs: pytest.fail("more was loaded"))
    for part in ("unet", "text_encoder"):
        for weights in (folder / part).glob("*.safetensors"):
            weights.write_bytes(b"")
    autoencoder = load_autoencoder(RunSettings(checkpoint=str(folder)))
    purified = run_to_end(purify(torch.zeros(1, 3, 32, 32), PurifySettings(steps=2), autoencoder)).result
    assert purified.shape == (1, 3, 32, 32)


def test_a_checkpoint_may_refuse_float16_for_its_autoencoder(tmp_path: Path) -> None:
    for save, dtype in ((save_sd, torch.float16), (save_sdxl, torch.float32)):
        loaded = load_autoencoder(RunSettings(checkpoint=str(save(tmp_path / save.__name__)), precision="float16"))
        assert loaded.dtype == next(loaded.module.parameters()).dtype == dtype
        assert str(dtype).removeprefix("torch.") in loaded.describe()


def test_the_description_is_one_line_with_the_memory(embedded: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> None:
    line = embedded.describe()
    found = re.fullmatch(r"embedded on cpu, float32, peak memory (\d+) MiB", line)
    assert found and 50 < int(found[1]) < 50_000
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    assert embedded.describe() == "embedded on cpu, float32"
    monkeypatch.undo()
    kibibytes = models.peak_memory("cpu")
    monkeypatch.setattr(sys, "platform", "darwin")
    bytes_ = models.peak_memory("cpu")
    assert kibibytes and bytes_ and 500 < kibibytes / bytes_ < 2000


@pytest.mark.slow
def test_the_full_size_autoencoder_of_stable_diffusion_can_be_attacked() -> None:
    module = small_autoencoder(block_out_channels=(128, 256, 512, 512), layers_per_block=2, norm_num_groups=32)
    assert sum(parameter.numel() for parameter in module.parameters()) == 83_653_863
    autoencoder = Autoencoder(module, "full size", "cpu", own=False)
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    steps = list(protect(x, ProtectSettings(steps=2), autoencoder))
    protected = steps[-1].result
    assert protected is not None and 0 < (protected - x).abs().max() <= (16 + 1) / 127.5
    assert all(torch.isfinite(torch.tensor(list(step.losses.values()))).all() for step in steps)


def test_bad_checkpoints_get_one_sentence(tmp_path: Path) -> None:
    def refused(words: str, checkpoint: Path) -> None:
        with pytest.raises(UserError) as caught:
            load_autoencoder(RunSettings(checkpoint=str(checkpoint)))
        assert words in str(caught.value) and "\n" not in str(caught.value)

    refused("no checkpoint", tmp_path / "nowhere")
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
    tensors = load_file(tiny_weights(folder))
    del tensors["head.0.bias"]
    save_file(tensors, weights, metadata={"format": "pt"})
    refused("lack 1 tensors", tmp_path / "x")
    assert torch.get_default_dtype() == torch.float32
    weights.unlink()
    (folder / "diffusion_pytorch_model.bin").write_bytes(b"\x80")
    refused("no safetensors", tmp_path / "x")


def tiny_weights(folder: Path) -> Path:
    """The weights of a whole model, beside the folder's damaged ones."""
    tiny().save_pretrained(folder.parent / "whole")
    return folder.parent / "whole/diffusion_pytorch_model.safetensors"


def test_a_device_that_is_not_there_is_named() -> None:
    assert pick_device("cpu") == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no cuda device"):
            pick_device("cuda")
