"""Tiny checkpoints with random weights, saved in exactly the layout and classes of the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    UNet2DConditionModel,
    UNet2DModel,
)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from impress_ui.models.vgg_autoencoder import VGGAutoencoder
from training.text_encoder import new_text_encoder, new_tokenizer

WIDTH = 32
TOKENS = 77
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def autoencoder(**options: Any) -> AutoencoderKL:
    """Stable Diffusion's autoencoder (factor 8, 4 channels), narrow unless the options say otherwise."""
    torch.manual_seed(0)
    narrow = {"block_out_channels": (8, 8, 16, 16), "layers_per_block": 1, "latent_channels": 4, "norm_num_groups": 4}
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, **{**narrow, **options}
    )


SHALLOW = {
    "block_out_channels": (8, 16),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}


def save_sd(folder: Path, *, in_channels: int = 4, shallow: bool = False) -> Path:
    """Stable Diffusion 1.5's layout; with 9 input channels, its inpainting sibling's.

    Args:
        shallow: a denoiser of two levels in place of four, for pictures in multiples of 16 pixels: for what is asked of
            any model, in a third of the time.
    """
    autoencoder().save_pretrained(folder / "vae")
    _forget(folder / "vae/config.json", "scaling_factor", "shift_factor", "force_upcast", "use_quant_conv")
    _rename(folder / "vae/diffusion_pytorch_model.safetensors", _attention_of_old)
    unet = UNet2DConditionModel(
        sample_size=64,
        in_channels=in_channels,
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=4,
        cross_attention_dim=WIDTH,
        **(SHALLOW if shallow else {"block_out_channels": (8, 8, 16, 16)}),
    )
    unet.save_pretrained(folder / "unet")
    _save_text(folder, "", CLIPTextModel)
    PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1).save_pretrained(folder / "scheduler")
    _forget(folder / "scheduler/scheduler_config.json", "timestep_spacing", "prediction_type")
    inpainting = in_channels == 9
    _save_index(
        folder,
        "StableDiffusionInpaintPipeline" if inpainting else "StableDiffusionPipeline",
        vae=("diffusers", "AutoencoderKL"),
        unet=("diffusers", "UNet2DConditionModel"),
        text_encoder=("transformers", "CLIPTextModel"),
        tokenizer=("transformers", "CLIPTokenizer"),
        scheduler=("diffusers", "PNDMScheduler"),
        safety_checker=("stable_diffusion", "StableDiffusionSafetyChecker"),
        feature_extractor=("transformers", "CLIPImageProcessor"),
    )
    return folder


def save_upscaler(folder: Path) -> Path:
    """Stable Diffusion's upscaler's layout: an autoencoder of factor 4, and a denoiser that sees the small picture."""
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3}
    narrow = {"block_out_channels": (8, 8, 16), "layers_per_block": 1, "latent_channels": 4, "norm_num_groups": 4}
    torch.manual_seed(0)
    AutoencoderKL(**blocks, **narrow, scaling_factor=0.08333).save_pretrained(folder / "vae")
    UNet2DConditionModel(
        sample_size=128,
        in_channels=7,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=4,
        cross_attention_dim=WIDTH,
        num_class_embeds=1000,
    ).save_pretrained(folder / "unet")
    _save_text(folder, "", CLIPTextModel)
    DDPMScheduler(beta_schedule="scaled_linear").save_pretrained(folder / "low_res_scheduler")
    DDIMScheduler(**BETAS, prediction_type="v_prediction").save_pretrained(folder / "scheduler")
    _save_index(
        folder,
        "StableDiffusionUpscalePipeline",
        vae=("diffusers", "AutoencoderKL"),
        unet=("diffusers", "UNet2DConditionModel"),
        text_encoder=("transformers", "CLIPTextModel"),
        tokenizer=("transformers", "CLIPTokenizer"),
        low_res_scheduler=("diffusers", "DDPMScheduler"),
        scheduler=("diffusers", "DDIMScheduler"),
        max_noise_level=350,
    )
    return folder


def save_sdxl(folder: Path) -> Path:
    """SDXL's layout: two tokenizers and text encoders, and a denoiser that also takes sizes and pooled text."""
    autoencoder(scaling_factor=0.13025, force_upcast=True).save_pretrained(folder / "vae")
    unet = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 2),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=(2, 4, 4),
        use_linear_projection=True,
        cross_attention_dim=2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=WIDTH + 6 * 8,
    )
    unet.save_pretrained(folder / "unet")
    _save_text(folder, "", CLIPTextModel)
    _save_text(folder, "_2", CLIPTextModelWithProjection)
    EulerDiscreteScheduler(**BETAS, steps_offset=1, timestep_spacing="leading").save_pretrained(folder / "scheduler")
    _save_index(
        folder,
        "StableDiffusionXLPipeline",
        force_zeros_for_empty_prompt=True,
        vae=("diffusers", "AutoencoderKL"),
        unet=("diffusers", "UNet2DConditionModel"),
        text_encoder=("transformers", "CLIPTextModel"),
        text_encoder_2=("transformers", "CLIPTextModelWithProjection"),
        tokenizer=("transformers", "CLIPTokenizer"),
        tokenizer_2=("transformers", "CLIPTokenizer"),
        scheduler=("diffusers", "EulerDiscreteScheduler"),
    )
    return folder


def save_sd3(folder: Path) -> Path:
    """SD3's autoencoder, with 16 channels and a shift factor; of its denoiser only the configuration."""
    vae = autoencoder(
        latent_channels=16,
        scaling_factor=1.5305,
        shift_factor=0.0609,
        use_quant_conv=False,
        use_post_quant_conv=False,
        force_upcast=True,
    )
    vae.save_pretrained(folder / "vae")
    (folder / "transformer").mkdir()
    (folder / "transformer/config.json").write_text(json.dumps({"_class_name": "SD3Transformer2DModel"}))
    _save_index(
        folder,
        "StableDiffusion3Pipeline",
        vae=("diffusers", "AutoencoderKL"),
        transformer=("diffusers", "SD3Transformer2DModel"),
        scheduler=("diffusers", "FlowMatchEulerDiscreteScheduler"),
    )
    return folder


def save_own(folder: Path) -> Path:
    """The embedded checkpoint's layout, as ``training/train_denoiser.py`` exports it: an autoencoder of factor 4."""
    torch.manual_seed(0)
    VGGAutoencoder(block_out_channels=(8, 8, 8), blocks_per_stage=(1, 1, 1), head_channels=8).save_pretrained(
        folder / "vae"
    )
    unet = UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=4,
        cross_attention_dim=192,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
    )
    unet.save_pretrained(folder / "unet")
    tokenizer = new_tokenizer()
    tokenizer.save_pretrained(folder / "tokenizer")
    new_text_encoder(tokenizer).save_pretrained(folder / "text_encoder")
    DDIMScheduler(**BETAS, clip_sample=False, steps_offset=1, prediction_type="v_prediction").save_pretrained(
        folder / "scheduler"
    )
    return folder


def _forget(file: Path, *names: str) -> None:
    """Drop entries that the real checkpoints, older than these options, do not have."""
    config = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in config.items() if name not in names}))


def _rename(file: Path, rename: Callable[[str], str], **more: torch.Tensor) -> None:
    """Give the tensors of a safetensors file the names that they have in the real checkpoints."""
    tensors = {rename(name): tensor for name, tensor in load_file(file).items()}
    save_file(tensors | more, file, metadata={"format": "pt"})


def _attention_of_old(name: str) -> str:
    for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
        name = name.replace(f".{new}.", f".{old}.")
    return name


def _save_text(folder: Path, suffix: str, cls: type) -> None:
    tokenizer = new_tokenizer()
    tokenizer.model_max_length = TOKENS
    tokenizer.save_pretrained(folder / f"tokenizer{suffix}")
    tokenizer.backend_tokenizer.model.save(str(folder / f"tokenizer{suffix}"))
    (folder / f"tokenizer{suffix}/tokenizer.json").unlink()  # the real ones are older than this file
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    cls(config).save_pretrained(folder / f"text_encoder{suffix}")
    _rename(
        folder / f"text_encoder{suffix}/model.safetensors",
        lambda name: name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}",
        **{"text_model.embeddings.position_ids": torch.arange(TOKENS)[None]},
    )


def _save_index(folder: Path, pipeline: str, **parts: Any) -> None:
    index = {"_class_name": pipeline, "_diffusers_version": "0.6.0", **parts}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))


def small_pixel_unet() -> UNet2DModel:
    """A diffusion model on RGB pictures of 16 pixels, narrow and with random weights, always the same."""
    torch.manual_seed(0)
    return UNet2DModel(
        sample_size=16,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(8, 16),
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
