"""Small random checkpoints in one file, in the names of the first authors: the inverse of the published mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

VOCABULARY = 49408
RESIDUAL = {
    "norm1.": "in_layers.0.", "conv1.": "in_layers.2.", "time_emb_proj.": "emb_layers.1.", "norm2.": "out_layers.0.",
    "conv2.": "out_layers.3.", "conv_shortcut.": "skip_connection.",
}  # fmt: skip
TOP = {
    "time_embedding.linear_1.": "time_embed.0.", "time_embedding.linear_2.": "time_embed.2.",
    "conv_in.": "input_blocks.0.0.", "conv_norm_out.": "out.0.", "conv_out.": "out.2.",
    "add_embedding.linear_1.": "label_emb.0.0.", "add_embedding.linear_2.": "label_emb.0.2.",
}  # fmt: skip


def _renamed(name: str, table: Mapping[str, str]) -> str:
    return next((new + name.removeprefix(old) for old, new in table.items() if name.startswith(old)), name)


def unet_of_old(unet: nn.Module) -> dict[str, Tensor]:
    """Its tensors under ``model.diffusion_model.``."""
    layers, made = unet.config.layers_per_block + 1, {}
    attending = [kind.startswith("CrossAttn") for kind in unet.config.up_block_types]
    for name, value in unet.state_dict().items():
        if found := re.match(r"down_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
            block, kind, layer, rest = int(found[1]), found[2], int(found[3]), found[4]
            old = f"input_blocks.{1 + block * layers + layer}.{kind == 'attentions':d}."
            old += _renamed(rest, RESIDUAL) if kind == "resnets" else rest
        elif found := re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name):
            old = f"input_blocks.{(int(found[1]) + 1) * layers}.0.op.{found[2]}"
        elif found := re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)", name):
            place = 1 if found[1] == "attentions" else 2 * int(found[2])
            old = f"middle_block.{place}." + (_renamed(found[3], RESIDUAL) if found[1] == "resnets" else found[3])
        elif found := re.match(r"up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
            block, kind, layer, rest = int(found[1]), found[2], int(found[3]), found[4]
            old = f"output_blocks.{block * layers + layer}.{kind == 'attentions':d}."
            old += _renamed(rest, RESIDUAL) if kind == "resnets" else rest
        elif found := re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.*)", name):
            block = int(found[1])
            old = f"output_blocks.{block * layers + layers - 1}.{1 + attending[block]}.conv.{found[2]}"
        else:
            old = _renamed(name, TOP)
            assert old != name, name
        made[f"model.diffusion_model.{old}"] = value
    return made


def vae_of_old(vae: nn.Module, prefix: str = "first_stage_model.") -> dict[str, Tensor]:
    """Its tensors; the attention's matrices as convolutions of one pixel, which they were."""
    made, last = {}, len(vae.config.block_out_channels) - 1
    for name, value in vae.state_dict().items():
        old = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
        old = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", old)
        old = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0\.", r"down.\1.downsample.", old)
        old = re.sub(r"up_blocks\.(\d+)\.resnets\.", lambda found: f"up.{last - int(found[1])}.block.", old)
        old = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0\.", lambda found: f"up.{last - int(found[1])}.upsample.", old)
        old = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", old)
        if "mid_block.attentions.0" in old:
            old = old.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
            old = re.sub(r"to_([qkv])\.", r"\1.", old).replace("to_out.0", "proj_out")
            value = value[..., None, None] if value.dim() == 2 else value
        made[prefix + old] = value
    return made


def clip_of_old(encoder: nn.Module, prefix: str) -> dict[str, Tensor]:
    """OpenAI's names, which transformers has kept."""
    names = {name.removeprefix("text_model."): value for name, value in encoder.state_dict().items()}
    return {f"{prefix}transformer.text_model.{name}": value for name, value in names.items()}


def open_clip_of_old(encoder: nn.Module, prefix: str) -> dict[str, Tensor]:
    """OpenCLIP's names; queries, keys and values stand in one matrix."""
    state = {name.removeprefix("text_model."): value for name, value in encoder.state_dict().items()}
    made: dict[str, Tensor] = {}
    for name, value in state.items():
        if found := re.match(r"encoder\.layers\.(\d+)\.self_attn\.q_proj\.(weight|bias)", name):
            parts = [state[name.replace("q_proj", f"{letter}_proj")] for letter in "qkv"]
            made[f"transformer.resblocks.{found[1]}.attn.in_proj_{found[2]}"] = torch.cat(parts)
        elif re.search(r"self_attn\.[kv]_proj", name):
            continue
        elif found := re.match(r"encoder\.layers\.(\d+)\.(.*)", name):
            old = found[2].replace("self_attn", "attn").replace("layer_norm", "ln_")
            made[f"transformer.resblocks.{found[1]}.{old.replace('fc1', 'c_fc').replace('fc2', 'c_proj')}"] = value
        elif name == "text_projection.weight":
            made["text_projection"] = value.T.contiguous()
        else:
            made[
                name.replace("embeddings.token_embedding", "token_embedding")
                .replace("embeddings.position_embedding.weight", "positional_embedding")
                .replace("final_layer_norm", "ln_final")
            ] = value
    return {f"{prefix}model.{name}": value for name, value in made.items()}


def _text(cls: type[nn.Module], width: int, activation: str, **options: int) -> nn.Module:
    config = CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2,
        num_attention_heads=width // 64, max_position_embeddings=77, hidden_act=activation, **options,
    )  # fmt: skip
    return cls(config).eval()


def small_vae(**options: object) -> AutoencoderKL:
    """Stable Diffusion's autoencoder, narrow and of three levels."""
    usual = {
        "down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3,
        "block_out_channels": (32, 32, 64), "layers_per_block": 1, "norm_num_groups": 32, "latent_channels": 4,
    }  # fmt: skip
    return AutoencoderKL(**{**usual, **options})


TWO_LEVELS = {
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}


def _unet(**options: object) -> UNet2DConditionModel:
    return UNet2DConditionModel(**{"layers_per_block": 1, "sample_size": 64, **options})


def save_sd1(file: Path, *, channels: int = 4) -> dict[str, nn.Module]:
    """Stable Diffusion 1's layout, with 9 channels its inpainting sibling's; the parts that went into it."""
    torch.manual_seed(0)
    parts = {
        "vae": small_vae(),
        "unet": _unet(
            in_channels=channels, block_out_channels=(64, 128), cross_attention_dim=64, attention_head_dim=8,
            **TWO_LEVELS,
        ),
        "text_encoder": _text(CLIPTextModel, 64, "quick_gelu"),
    }  # fmt: skip
    text = clip_of_old(parts["text_encoder"], "cond_stage_model.")
    return _saved(file, parts, text)


def save_sd2(file: Path, *, told: Mapping[str, str] | None = None) -> dict[str, nn.Module]:
    """Stable Diffusion 2's layout, whose text encoder has a last layer that is not used."""
    torch.manual_seed(1)
    parts = {
        "vae": small_vae(),
        "unet": _unet(
            block_out_channels=(64, 128), cross_attention_dim=64, attention_head_dim=(1, 2), use_linear_projection=True,
            **TWO_LEVELS,
        ),
        "text_encoder": _text(CLIPTextModel, 64, "gelu"),
    }  # fmt: skip
    text = open_clip_of_old(parts["text_encoder"], "cond_stage_model.")
    unused = {name.replace("resblocks.0.", "resblocks.23."): value + 1 for name, value in text.items()}
    return _saved(file, parts, {**unused, **text, "cond_stage_model.model.text_projection": torch.eye(64)}, told)


def save_sdxl(file: Path) -> dict[str, nn.Module]:
    """Stable Diffusion XL's layout: two text encoders, and a denoiser that takes sizes too."""
    torch.manual_seed(2)
    parts = {
        "vae": small_vae(scaling_factor=0.13025),
        "unet": _unet(
            block_out_channels=(64, 128, 128), cross_attention_dim=192, attention_head_dim=(1, 2, 2),
            use_linear_projection=True, transformer_layers_per_block=(1, 2, 2), addition_embed_type="text_time",
            addition_time_embed_dim=32, projection_class_embeddings_input_dim=128 + 6 * 32,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        "text_encoder": _text(CLIPTextModel, 64, "quick_gelu"),
        "text_encoder_2": _text(CLIPTextModelWithProjection, 128, "gelu", projection_dim=128),
    }  # fmt: skip
    text = clip_of_old(parts["text_encoder"], "conditioner.embedders.0.")
    return _saved(file, parts, text | open_clip_of_old(parts["text_encoder_2"], "conditioner.embedders.1."))


def _saved(
    file: Path, parts: dict[str, nn.Module], text: dict[str, Tensor], told: Mapping[str, str] | None = None
) -> dict[str, nn.Module]:
    tensors = {**unet_of_old(parts["unet"]), **vae_of_old(parts["vae"]), **text}
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, file, metadata=dict(told or {}))
    return parts
