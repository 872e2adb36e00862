"""Convolutions of frozen models that keep nothing of their input.

The gradient of a convolution with respect to its input needs the weights alone. PyTorch's own keeps the input too, for
a gradient of the weights that a frozen model never asks for: in the embedded decoder that is more than half of what its
graph holds.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class _FrozenConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: tuple[Any, ...]) -> Tensor:
        ctx.save_for_backward(weight)
        last = not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
        ctx.geometry, ctx.shape = geometry, x.shape
        ctx.format = torch.channels_last if last else torch.contiguous_format
        return F.conv2d(x, weight, bias, *geometry)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (weight,) = ctx.saved_tensors
        # Its values are not looked at where only the input's gradient is wanted; its layout is.
        blank = torch.empty(ctx.shape, dtype=gradient.dtype, device=gradient.device, memory_format=ctx.format)
        stride, padding, dilation, groups = ctx.geometry
        slope, _, _ = torch.ops.aten.convolution_backward(
            gradient, blank, weight, None, stride, padding, dilation, False, (0, 0), groups, (True, False, False)
        )
        return slope, None, None, None


class FrozenConv2d(nn.Conv2d):
    """``nn.Conv2d`` that, while its weights are frozen, keeps no input for the backward pass; else as ever."""

    def forward(self, x: Tensor) -> Tensor:
        plain = self.padding_mode != "zeros" or isinstance(self.padding, str) or self.weight.requires_grad
        # Under autocast PyTorch casts weights on the fly, and what it made of them would have to be kept too.
        if plain or not x.requires_grad or torch.is_autocast_enabled(x.device.type):
            return super().forward(x)
        geometry = (self.stride, self.padding, self.dilation, self.groups)
        return _FrozenConvolution.apply(x, self.weight, self.bias, geometry)


def spare_inputs(module: nn.Module) -> nn.Module:
    """Make the module's plain convolutions ``FrozenConv2d``, in place; weights, names and results stay the same."""
    for part in module.modules():
        if type(part) is nn.Conv2d:
            part.__class__ = FrozenConv2d
    return module
