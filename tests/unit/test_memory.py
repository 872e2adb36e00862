"""Computing activations twice where memory is short: when, and that it changes nothing but memory."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from impress_ui.models import memory
from impress_ui.models.autoencoder import Autoencoder


def kept(autoencoder: Autoencoder, x: Tensor) -> int:
    """Bytes that the graph of V(x) holds besides the weights."""
    weights = {p.untyped_storage().data_ptr() for p in autoencoder.module.parameters()}
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        _result = autoencoder.reconstruct(x.clone().requires_grad_())
    return sum(storages.values())


def gradient(autoencoder: Autoencoder, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(autoencoder.reconstruct(x).square().sum(), x)
    return slope


def test_large_pictures_are_computed_twice_and_come_out_the_same(
    stable_diffusion_like: AutoencoderKL, batch: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    autoencoder = Autoencoder(copy.deepcopy(stable_diffusion_like), "test", "cpu", own=False)
    x = batch[:1]
    monkeypatch.setattr(memory, "free_memory", lambda device: 10**12)
    much, slope = kept(autoencoder, x), gradient(autoencoder, x)
    assert not autoencoder.module.decoder.gradient_checkpointing
    # The estimate that decides is near the truth, and on the safe side.
    estimate = memory.kept_bytes(autoencoder.module.config, 64 * 64, 4)
    assert 0.5 * estimate < much < 1.5 * estimate
    monkeypatch.setattr(memory, "free_memory", lambda device: 2 * estimate)
    assert torch.allclose(gradient(autoencoder, x), slope, rtol=1e-4, atol=1e-6)
    assert autoencoder.module.decoder.gradient_checkpointing and autoencoder.module.encoder.gradient_checkpointing
    assert kept(autoencoder, x) < 0.5 * much


def test_a_system_that_does_not_tell_its_memory_is_taken_to_have_enough(
    stable_diffusion_like: AutoencoderKL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: None)
    chooser = memory.Recomputation(copy.deepcopy(stable_diffusion_like), "cpu")
    assert chooser.choose(512**2, 4) is False


def test_the_embedded_kind_is_left_alone(embedded: Autoencoder) -> None:
    assert memory.Recomputation(embedded.module, "cpu").choose(10**9, 4) is False


def test_a_container_s_limit_counts_and_files_pages_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second, first, without = tmp_path / "2", tmp_path / "1", tmp_path / "0"
    for folder, most, used, key in (
        (second, "memory.max", "memory.current", "inactive_file"),
        (first / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        folder.mkdir(parents=True)
        (folder / most).write_text("1000\n")
        (folder / used).write_text("900\n")
        (folder / "memory.stat").write_text(f"anon 600\n{key} 300\nfile 5\n")
    assert memory.left_in_container(second) == memory.left_in_container(first) == 400
    without.mkdir()
    assert memory.left_in_container(without) is None
    monkeypatch.setattr(memory, "CONTAINER", second)
    assert memory.free_memory("cpu") == 400
    (second / "memory.current").write_text("5000")
    assert memory.free_memory("cpu") == 1
    (second / "memory.max").write_text("max")
    assert memory.left_in_container(second) is None and memory.free_memory("cpu") > 10**6
