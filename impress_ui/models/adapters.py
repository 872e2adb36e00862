"""Fine-tuned denoisers: made ready for training, and read from disk."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from impress_ui.errors import UserError
from impress_ui.models.checksums import check
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.settings import MimicSettings

ADAPTER = "pytorch_lora_weights.safetensors"  # the name that diffusers looks for
DENOISER = "unet"
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
BLOCKS = ("conv1", "conv2", "conv_shortcut", "time_emb_proj", "proj_in", "proj_out", "conv")


def adapted_denoiser(model: DiffusionModel, settings: MimicSettings) -> Any:
    """The denoiser with LoRA adapters to train (float32); it shares its own weights with the model, frozen."""
    from diffusers.training_utils import cast_training_params
    from peft import LoraConfig

    unet = _copy(model.unet)
    targets = ATTENTION if settings.adapted == "attention" else ATTENTION + BLOCKS
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # an adapter starts as no change, from random first halves
        unet.add_adapter(
            LoraConfig(r=settings.rank, lora_alpha=settings.rank, init_lora_weights="gaussian", target_modules=targets)
        )
    unet.to(model.device)
    cast_training_params(unet, dtype=torch.float32)
    return unet


def whole_denoiser(model: DiffusionModel) -> Any:
    """A copy of the denoiser, every weight of it to train (float32)."""
    return _copy(model.unet, shared=False).to(model.device, torch.float32).requires_grad_(True)


def load_imitator(model: DiffusionModel, folder: Path, *, merged: bool = False) -> DiffusionModel:
    """The model with a fine-tuned denoiser that ``FineTuning.save`` wrote, or with any LoRA in diffusers' format.

    Args:
        folder: where it was written, or what was written there, as reports name it.
        merged: add a LoRA to weights of the denoiser's own, which takes their memory and saves the time of layers
            beside the weights that are otherwise shared with the model.

    Raises:
        UserError: there is none in the folder, or it does not fit the model.
    """
    from diffusers import UNet2DConditionModel

    if folder.name in (ADAPTER, DENOISER) and not (folder / DENOISER).is_dir():
        folder = folder.parent
    if folder.is_file():
        raise UserError(f"{folder.name} is no fine-tuning of this program; a LoRA of another trainer goes with --lora.")
    lora = (folder / ADAPTER).is_file()
    if not lora and not (folder / DENOISER).is_dir():
        raise UserError(f"There is no fine-tuned model in {folder}: neither {ADAPTER} nor a folder {DENOISER}.")
    if lora:
        check(folder / ADAPTER)
    try:
        if lora:
            unet = _copy(model.unet, shared=not merged)
            unet.load_lora_adapter(folder, weight_name=ADAPTER, prefix=None, use_safetensors=True)
            if merged:
                unet.fuse_lora()
                unet.unload_lora()
        else:
            unet = UNet2DConditionModel.from_pretrained(folder / DENOISER, use_safetensors=True)
            unet = unet.to(model.device, model.dtype)
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(
            f"The fine-tuned model in {folder} does not fit {model.name} ({type(error).__name__})."
        ) from None
    return model.with_unet(unet.requires_grad_(False).eval())


def _copy(unet: nn.Module, *, shared: bool = True) -> Any:
    """A copy of the denoiser's modules, so that adapters leave the original alone; with its very weights if shared."""
    weights = {id(p): p for p in [*unet.parameters(), *unet.buffers()]} if shared else {}
    twin = copy.deepcopy(unet, weights)
    if hasattr(twin, "_hf_hook"):
        from accelerate.hooks import remove_hook_from_module

        remove_hook_from_module(twin, recurse=True)
    return twin
