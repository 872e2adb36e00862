"""Frozen convolutions: the gradient of plain ones, with less kept for it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.frozen import FrozenConv2d, spare_inputs


def gradient_of(module: nn.Module, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(module(x).square().sum(), x)
    return gradient


def kept_bytes(module: nn.Module, x: Tensor) -> int:
    storages: dict[int, int] = {}
    weights = {p.untyped_storage().data_ptr() for p in module.parameters()}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        _result = module(x.clone().requires_grad_())  # held, so that no storage is used twice
    return sum(storages.values())


@pytest.mark.parametrize(
    "geometry",
    [{"padding": 1}, {"stride": 2, "padding": 1}, {"dilation": 2}, {"groups": 2, "bias": False}],
    ids=str,
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_the_gradient_is_a_plain_convolutions(geometry: dict, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(4, 6, 3, **geometry).double().requires_grad_(False).to(memory_format=layout)
    spared = spare_inputs(copy.deepcopy(plain))
    assert type(spared) is FrozenConv2d and type(plain) is nn.Conv2d
    x = torch.randn(2, 4, 5, 6, dtype=torch.float64).to(memory_format=layout)
    assert torch.equal(plain(x), spared(x))
    assert torch.allclose(gradient_of(plain, x), gradient_of(spared, x))
    assert torch.autograd.gradcheck(spared, x.clone().requires_grad_())


def test_weights_that_are_trained_get_their_gradients() -> None:
    torch.manual_seed(0)
    spared = spare_inputs(nn.Conv2d(3, 5, 3))
    spared(torch.randn(1, 3, 8, 8)).sum().backward()
    assert spared.weight.grad is not None and spared.bias is not None and spared.bias.grad is not None


def test_under_autocast_it_is_a_plain_convolution() -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(4, 4, 3).requires_grad_(False)
    x = torch.randn(1, 4, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(gradient_of(plain, x), gradient_of(spare_inputs(copy.deepcopy(plain)), x))


def test_the_decoder_keeps_less_than_half_and_gives_the_same(embedded: Autoencoder) -> None:
    spared = embedded.module.decoder
    plain = copy.deepcopy(spared)
    for part in plain.modules():
        if type(part) is FrozenConv2d:
            part.__class__ = nn.Conv2d
    torch.manual_seed(0)
    z = torch.randn(1, 4, 8, 8)
    assert kept_bytes(spared, z) < 0.5 * kept_bytes(plain, z)
    assert torch.allclose(gradient_of(spared, z), gradient_of(plain, z), rtol=1e-4, atol=1e-5)
