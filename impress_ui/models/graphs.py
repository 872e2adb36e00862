"""What the graph of a gradient keeps in memory, measured on a few latents, and what is done where that is too much.

kept = kept_a_latent(model)                   # bytes, for one latent of the picture
passes = Passes.chosen(model, x, 10, 4)       # all in one graph, or a stage after the other
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from impress_ui.models import memory
from impress_ui.models.operations import blank_conditions

if TYPE_CHECKING:
    from impress_ui.models.diffusion_model import DiffusionModel

# Most of the free memory that the graphs of a gradient may take; the rest is for what the passes compute with.
SHARE = 0.5
# Most pixels in one pass with gradient: five repetitions at 128 pixels. More is hardly faster and holds more graphs.
LARGEST_PASS = 5 * 128**2


@dataclass(frozen=True)
class Kept:
    """Bytes that the graph of one pass keeps for each latent of a picture."""

    denoiser: float
    decoder: float


_known: weakref.WeakKeyDictionary[nn.Module, Kept] = weakref.WeakKeyDictionary()


def bytes_kept(work: Callable[[], Any], *modules: nn.Module) -> int:
    """Bytes that the graph of what ``work`` makes keeps for its backward pass, besides the modules' weights."""
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        _made = work()  # held while it is counted: storages that were freed would be counted as one
    # Asked for now, since under model offload the work has moved them.
    weights = {p.untyped_storage().data_ptr() for module in modules for p in module.parameters()}
    return sum(size for pointer, size in storages.items() if pointer not in weights)


def kept_a_latent(model: DiffusionModel) -> Kept:
    """What the model's denoiser and decoder keep, measured once on as few latents as the denoiser takes."""
    if model.unet not in _known:
        channels = model.autoencoder.module.config.latent_channels
        side = 2 * model.multiple // model.autoencoder.factor
        denoiser = denoiser_keeps(model.unet, side, inputs=True)
        z = torch.zeros(1, channels, side, side, device=model.device, requires_grad=True)
        decoder = bytes_kept(lambda: model.autoencoder.decode(z), model.autoencoder.module) / side**2
        _known[model.unet] = Kept(denoiser, decoder)
    return _known[model.unet]


def denoiser_keeps(unet: Any, side: int, *, inputs: bool) -> float:
    """Bytes that one pass of a denoiser keeps for each latent, measured on a square of ``side`` latents.

    Args:
        inputs: whether the gradient is that of the latents; otherwise of those weights that ask for one.
    """
    latent = torch.zeros(1, unet.config.in_channels, side, side, device=unet.device, dtype=unet.dtype)
    latent.requires_grad_(inputs)
    conditions = blank_conditions(unet, latent.detach())
    with recompute(unet, False):
        return bytes_kept(lambda: unet(latent, 500, **conditions).sample, unet) / side**2


@contextmanager
def recompute(unet: Any, wanted: bool) -> Iterator[None]:
    """Gradient checkpointing of a denoiser: its blocks' insides are computed again on the way back, and not kept.

    Afterwards it is as before: the denoiser is shared, and what uses it next has other needs.
    """
    before = unet.is_gradient_checkpointing
    _switch(unet, wanted)
    try:
        yield
    finally:
        _switch(unet, before)


def _switch(unet: Any, wanted: bool) -> None:
    if unet.is_gradient_checkpointing != wanted:
        if wanted:
            unet.enable_gradient_checkpointing()
        else:
            unet.disable_gradient_checkpointing()


@dataclass(frozen=True)
class Passes:
    """How a gradient through the sampler is taken.

    Args:
        together: all stages (sampling steps, decoder) in one graph, which is faster; or one after the other, so that
            never more than one stage's activations are in memory.
        at_once: repetitions in one pass.
        recompute: whether the denoiser computes its blocks' insides twice.
    """

    together: bool
    at_once: int
    recompute: bool = False

    @classmethod
    def chosen(cls, model: DiffusionModel, x: Tensor, repetitions: int, denoisings: int) -> Passes:
        """The fastest way that the memory which is free now is good for.

        Args:
            x: pictures (B, 3, H, W).
            repetitions: how often the sampler is run over them.
            denoisings: passes of the denoiser in one run.
        """
        most = min(repetitions, max(1, LARGEST_PASS // x[:, 0].numel()))
        free = memory.free_memory(model.device)
        if free is None:
            return cls(True, most)
        kept, latents = kept_a_latent(model), x[:, 0].numel() / model.autoencoder.factor**2
        fitting = int(SHARE * free / (latents * (denoisings * kept.denoiser + kept.decoder)))
        if fitting >= 1:
            return cls(True, min(most, fitting))
        return cls(False, 1, recompute=latents * kept.denoiser > SHARE * free)


def fitting(model: DiffusionModel, pictures: Tensor) -> int:
    """How many times the latents (B, C, h, w) may go through the denoiser in one pass with a gradient.

    0: not once, unless it computes its blocks' insides twice.
    """
    free = memory.free_memory(model.device)
    if free is None:
        return LARGEST_PASS
    return int(SHARE * free / (pictures[:, 0].numel() * kept_a_latent(model).denoiser))
