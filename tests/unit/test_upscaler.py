"""Noisy upscaling: its network against the paper's blocks written another way, and ncnn's files read back."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from impress_ui.errors import UserError
from impress_ui.jobs.explore import Exploration
from impress_ui.jobs.stress import StressTest
from impress_ui.measures import costs
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.methods.purify import purify
from impress_ui.models import upscaler_folder
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.upscaler import RRDBNet, network_of, upscaler
from impress_ui.settings import JobSettings, PurifySettings, purifier_of
from impress_ui.settings.stress import USUAL
from impress_ui.ui.public import Host
from tests.unit.small_checkpoints import save_upscaler
from training.convert_upscaler import HALVES, convolutions, named


def small() -> dict[str, Tensor]:
    """Weights of a narrow network of two blocks."""
    torch.manual_seed(0)
    return RRDBNet(width=8, growth=4, blocks=2).state_dict()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file({name: value.half() for name, value in small().items()}, tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


def by_hand(x: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The network's layers, one after the other, as ncnn lists them: ESRGAN's figure 4."""
    rest = iter(layers)

    def layer(h: Tensor, bent: bool = True) -> Tensor:
        made = F.conv2d(h, *next(rest), padding=1)
        return torch.where(made > 0, made, 0.2 * made) if bent else made

    first = h = layer(x, bent=False)
    for _ in range((len(layers) - 6) // 15):
        outer = h
        for _ in range(3):
            inner, dense = h, [h]
            for _ in range(4):
                dense.append(layer(torch.cat(dense, 1)))
            h = inner + layer(torch.cat(dense, 1), bent=False) / 5
        h = outer + h / 5
    h = first + layer(h, bent=False)
    for _ in range(2):
        h = layer(h.repeat_interleave(2, 2).repeat_interleave(2, 3))
    return layer(layer(h), bent=False)


def test_the_network_is_the_paper_s_four_times_as_large() -> None:
    weights = small()
    names = list(weights)
    layers = [(weights[a], weights[b]) for a, b in zip(names[::2], names[1::2], strict=True)]
    network = network_of(weights)
    x = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        made = network(x)
    assert made.shape == (2, 3, 20, 28)
    assert torch.allclose(made, by_hand(x, layers), atol=1e-5)


def test_what_ncnn_keeps_comes_back_under_real_esrgan_s_names() -> None:
    weights = small()
    names, lines, data = list(weights), ["7767517", "0 0"], b""
    for number, (first, second) in enumerate(zip(names[::2], names[1::2], strict=True)):
        weight, bias = weights[first], weights[second]
        lines.append(f"Convolution Conv_{number} 1 1 a b 0={len(weight)} 1=3 4=1 5=1 6={weight.numel()}")
        if number == 1:
            lines.append("Concat Concat_1 2 1 a b c")
        halves = weight.numpy().astype("<f2").tobytes() if number else weight.numpy().astype("<f4").tobytes()
        data += struct.pack("<I", HALVES if number else 0) + halves + b"\0" * (-len(halves) % 4)
        data += bias.numpy().astype("<f4").tobytes()
    back = named(convolutions("\n".join(lines), data))
    assert list(back) == names
    for name in names:
        assert np.allclose(back[name], weights[name], rtol=1e-3, atol=1e-6), name
    with pytest.raises(SystemExit, match="left over"):
        convolutions("\n".join(lines), data + b"\0\0\0\0")


def test_as_a_purifier_it_is_noise_upscaled_and_reduced(file: Path, batch: Tensor, embedded: Autoencoder) -> None:
    x = batch[:2, :, :20, :24]

    def made(std: float, seed: int = 0, of: Tensor = x) -> Tensor:
        settings = PurifySettings(method="noisy-upscaling", upscaled_noise=std, upscaler=str(file))
        return run_to_end(purify(of, settings, embedded, seed=seed)).result

    with torch.no_grad():
        large = upscaler(file, "cpu")((x + 1) / 2).clamp(0, 1)
    expected = F.interpolate(large, size=x.shape[-2:], mode="bicubic", antialias=True).clamp(0, 1) * 2 - 1
    assert (made(0.0) - expected).abs().max() <= 1.01 / 255
    assert torch.equal(made(0.0)[1:], made(0.0, of=x[1:]))
    assert torch.equal(made(0.05), made(0.05)) and not torch.equal(made(0.05), made(0.05, seed=1))


def test_a_file_of_another_kind_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no upscaler's file"):
        upscaler(tmp_path / "none.safetensors", "cpu")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(UserError, match="cannot be read"):
        upscaler(tmp_path / "text.safetensors", "cpu")
    with pytest.raises(UserError, match="holds no upscaler"):
        upscaler(tmp_path, "cpu")
    save_file({name: value[..., :1].contiguous() for name, value in small().items()}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="another network"):
        upscaler(tmp_path / "other.safetensors", "cpu")
    prefixed = tmp_path / "prefixed.safetensors"
    save_file({f"params_ema.{name}": value for name, value in small().items()}, prefixed)
    assert isinstance(upscaler(prefixed, "cpu"), RRDBNet)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion's upscaler, tiny and with random weights."""
    return save_upscaler(tmp_path_factory.mktemp("upscalers") / "tiny")


def test_a_folder_is_stable_diffusion_s_upscaler(
    folder: Path, batch: Tensor, embedded: Autoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upscaler_folder, "STEPS", 2)
    large = upscaler(folder, "cpu")((batch[:1, :, :10, :13] + 1) / 2)
    assert large.shape == (1, 3, 40, 52) and 0 <= large.min() < large.max() <= 1
    x = batch[:2, :, :10, :13]

    def made(of: Tensor, seed: int = 0) -> Tensor:
        settings = PurifySettings(method="noisy-upscaling", upscaled_noise=0, upscaler=str(folder))
        return run_to_end(purify(of, settings, embedded, seed=seed)).result

    both = made(x)
    assert torch.equal(both, made(x)) and not torch.equal(both, made(x, seed=5))
    assert torch.equal(both[1:], made(x[1:], seed=1))
    named = PURIFIERS["noisy-upscaling"].files(PurifySettings(method="noisy-upscaling", upscaler=str(folder)))
    assert {folder / "model_index.json", folder / "unet/diffusion_pytorch_model.safetensors"} <= set(named)
    expected = F.interpolate(large, size=(10, 13), mode="bicubic", antialias=True).clamp(0, 1) * 2 - 1
    assert (both[:1] - expected).abs().max() <= 1.01 / 255


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("model_index.json", '{"_class_name": "StableDiffusionPipeline"}', "holds a StableDiffusionPipeline"),
        ("model_index.json", "[1", "damaged model_index.json"),
        ("vae/diffusion_pytorch_model.safetensors", None, "no weights in vae/"),
        ("unet/diffusion_pytorch_model.safetensors", "version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("text_encoder/model.safetensors", "no weights", "cannot be loaded"),
        ("low_res_scheduler/scheduler_config.json", "{", "cannot be loaded"),
    ],
)
def test_a_bad_upscaler_s_folder_gets_a_sentence(
    folder: Path, tmp_path: Path, file: str, content: str | None, sentence: str
) -> None:
    copy = shutil.copytree(folder, tmp_path / "bad")
    (copy / file).unlink()
    if content is not None:
        (copy / file).write_text(content)
    with pytest.raises(UserError, match=sentence):
        upscaler(copy, "cpu")


def test_nobody_is_asked_for_a_file_who_has_none(batch: Tensor, embedded: Autoencoder) -> None:
    assert not any("noisy-upscaling" in words for words in USUAL)
    for settings in (PurifySettings(method="noisy-upscaling"), purifier_of("fast, then noisy-upscaling")):
        with pytest.raises(UserError, match="needs an upscaler"):
            next(purify(batch, settings, embedded))


def test_an_exploration_and_a_stress_test_say_so_before_they_begin(photographs: list[Image.Image]) -> None:
    job = JobSettings().updated(purify={"method": "noisy-upscaling"}, run={"device": "cpu"})
    exploration = Exploration(photographs[0], job.updated(explore={"x": "protect.budget", "x_count": 2})).run()
    with pytest.raises(UserError, match="needs an upscaler"):
        list(exploration)
    with pytest.raises(UserError, match="needs an upscaler"):
        StressTest(photographs[0], job.updated(stress={"purifiers": ["jpeg", "noisy-upscaling"]}))


def test_its_time_is_told_from_a_small_piece(
    file: Path, photographs: list[Image.Image], embedded: Autoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "PACE", {})
    settings = PurifySettings(method="noisy-upscaling", upscaler=str(file))
    assert costs.expected_seconds(settings, (64, 64)) is None
    costs.measure_pace([settings], photographs[0], embedded, None)
    small, large = (costs.expected_seconds(settings, (side, side)) for side in (64, 128))
    assert small > 0 and large == pytest.approx(4 * small)


def test_a_public_page_refuses_what_needs_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host("0.0.0.0")
    assert host.check(JobSettings()) == JobSettings()
    for part in ({"purify": {"method": "noisy-upscaling"}}, {"stress": {"purifiers": ["jpeg, then noisy-upscaling"]}}):
        with pytest.raises(UserError, match="no weights can be named"):
            host.check(JobSettings().updated(**part))
