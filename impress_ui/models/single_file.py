"""A checkpoint in one file: the configurations of its parts, as their folders in diffusers' layout would have them.

Such a file holds the weights of all parts in their first authors' names, and no configuration. What a configuration
says is read off the tensors' shapes here, and the rest is what the kind has by its publication: no file is fetched, and
narrower models of the same kinds are understood too. ``single_file_head`` says which kind it is, and
``single_file_weights`` reads the weights.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from impress_ui.errors import UserError
from impress_ui.models.single_file_head import UNET, Header, Shapes, header

# (scaling, shift) of each kind's latents, as published.
_SCALES = {"sd": (0.18215, None), "sdxl": (0.13025, None), "sd3": (1.5305, 0.0609), "flux": (0.3611, 0.1159)}
_HEAD = 64  # channels of an attention head in Stable Diffusion 2, XL and every CLIP; 1.x has eight heads instead
SPREAD_OF_V = 0.09
_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


def config_of(file: Path, part: str) -> dict[str, Any]:
    """A part's configuration, as its folder in diffusers' layout would have it.

    Raises:
        UserError: the file has no such part, or it is of a build that is not known.
    """
    head = header(file)
    make = {
        "vae": lambda: _vae(head, file.name),
        "unet": lambda: _unet(head, v=head.layout == "sd2" and _predicts_v(head, file)),
        "text_encoder": lambda: _text(head, "text_encoder"),
        "text_encoder_2": lambda: _text(head, "text_encoder_2"),
        "tokenizer": lambda: _tokenizer("<|endoftext|>" if head.layout in ("sd1", "sdxl") else "!"),
        "tokenizer_2": lambda: _tokenizer("!"),
        "scheduler": lambda: _scheduler(head, file),
    }[part]
    try:
        return make()
    except (KeyError, IndexError, StopIteration, ZeroDivisionError):
        raise UserError(f"{file.name} has no {part} of a build that is known.") from None


def _numbers(shapes: Shapes, pattern: str) -> list[int]:
    """The numbers that stand at the group of a pattern in the names, each once, in order."""
    return sorted({int(found[1]) for name in shapes if (found := re.match(pattern, name))})


def _vae(head: Header, name: str) -> dict[str, Any]:
    start = re.escape(prefix := head.starts("vae"))
    shapes = head.shapes
    levels = _numbers(shapes, rf"{start}encoder\.down\.(\d+)\.")
    widths = [shapes[f"{prefix}encoder.down.{level}.block.0.conv1.weight"][0] for level in levels]
    channels = shapes[f"{prefix}decoder.conv_in.weight"][1]
    if channels == 16:  # without the denoiser beside it only the file's name can tell
        joint = any("joint_blocks." in key for key in shapes)
        kind = "sd3" if joint or "sd3" in name.lower() else "flux"
    elif channels != 4:
        raise UserError(f"The autoencoder in {name} has {channels} latent channels; known are those with 4 and 16.")
    else:
        alone = "sdxl" if "xl" in name.lower() else "sd"
        kind = {"sdxl": "sdxl", "autoencoder": alone}.get(head.layout, "sd")
    scaling, shift = _SCALES[kind]
    return {
        "_class_name": "AutoencoderKL",
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * len(levels),
        "up_block_types": ["UpDecoderBlock2D"] * len(levels),
        "layers_per_block": len(_numbers(shapes, rf"{start}encoder\.down\.0\.block\.(\d+)\.")),
        "latent_channels": channels,
        "norm_num_groups": 32,
        "scaling_factor": scaling,
        "shift_factor": shift,
        "use_quant_conv": f"{prefix}quant_conv.weight" in shapes,
        "use_post_quant_conv": f"{prefix}post_quant_conv.weight" in shapes,
        "force_upcast": kind != "sd",
        "sample_size": 1024 if kind == "sdxl" else 512,
    }


def _unet(head: Header, *, v: bool = False) -> dict[str, Any]:
    shapes = head.shapes
    if head.layout == "autoencoder":
        raise KeyError("unet")

    def at(name: str) -> tuple[int, ...]:
        return shapes[f"{UNET}{name}"]

    start = re.escape(UNET)
    levels: list[list[int]] = [[]]  # the numbers of each level's residual blocks
    for block in _numbers(shapes, rf"{start}input_blocks\.(\d+)\.")[1:]:
        if f"{UNET}input_blocks.{block}.0.op.weight" in shapes:
            levels.append([])
        else:
            levels[-1].append(block)
    widths = [at(f"input_blocks.{blocks[0]}.0.in_layers.2.weight")[0] for blocks in levels]
    depths = [
        len(_numbers(shapes, rf"{start}input_blocks\.{blocks[0]}\.1\.transformer_blocks\.(\d+)\.")) for blocks in levels
    ]
    attending = [number for number, depth in enumerate(depths) if depth]
    first = f"input_blocks.{levels[attending[0]][0]}.1"
    config = {
        "_class_name": "UNet2DConditionModel",
        "in_channels": at("input_blocks.0.0.weight")[1],
        "out_channels": at("out.2.weight")[0],
        "block_out_channels": widths,
        "layers_per_block": len(levels[0]),
        "down_block_types": [f"{'CrossAttn' if depth else ''}DownBlock2D" for depth in depths],
        "up_block_types": [f"{'CrossAttn' if depth else ''}UpBlock2D" for depth in reversed(depths)],
        "cross_attention_dim": at(f"{first}.transformer_blocks.0.attn2.to_k.weight")[1],
        "use_linear_projection": len(at(f"{first}.proj_in.weight")) == 2,
        "sample_size": {"sd1": 64, "sd2": 96 if v else 64, "sdxl": 128}[head.layout],
        "attention_head_dim": 8 if head.layout == "sd1" else [width // _HEAD for width in widths],
        "upcast_attention": head.layout == "sd2",  # 2.1's overflows in float16 without
    }
    if head.layout == "sdxl":
        pooled = shapes.get("conditioner.embedders.1.model.text_projection", (0, 1280))[1]
        embedded = at("label_emb.0.0.weight")[1]
        config |= {
            "transformer_layers_per_block": [max(1, depth) for depth in depths],
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": (embedded - pooled) // 6,
            "projection_class_embeddings_input_dim": embedded,
        }
    return config


def _text(head: Header, part: str) -> dict[str, Any]:
    """Of a CLIP text encoder, OpenAI's or OpenCLIP's; the latter's last layer is left out by Stable Diffusion 2."""
    prefix, shapes = head.starts(part), head.shapes
    theirs = f"{prefix}model."
    if f"{theirs}token_embedding.weight" in shapes:
        layers = _numbers(shapes, rf"{re.escape(theirs)}transformer\.resblocks\.(\d+)\.")
        if head.layout == "sd2":
            layers = [layer for layer in layers if layer != 23]
        vocabulary, width = shapes[f"{theirs}token_embedding.weight"]
        positions = shapes[f"{theirs}positional_embedding"][0]
        inner, activation = shapes[f"{theirs}transformer.resblocks.0.mlp.c_fc.weight"][0], "gelu"
    else:
        stem = next(
            stem for stem in (f"{prefix}transformer.text_model.", f"{prefix}transformer.")
            if f"{stem}embeddings.token_embedding.weight" in shapes
        )  # fmt: skip
        layers = _numbers(shapes, rf"{re.escape(stem)}encoder\.layers\.(\d+)\.")
        vocabulary, width = shapes[f"{stem}embeddings.token_embedding.weight"]
        positions = shapes[f"{stem}embeddings.position_embedding.weight"][0]
        inner = shapes[f"{stem}encoder.layers.0.mlp.fc1.weight"][0]
        activation = "gelu" if head.layout == "sd2" else "quick_gelu"
        if part == "text_encoder_2":
            raise KeyError(part)  # OpenCLIP's in transformers' names: diffusers converts none
    projected = shapes.get(f"{theirs}text_projection", (width, width))[1]
    return {
        "architectures": ["CLIPTextModelWithProjection" if part == "text_encoder_2" else "CLIPTextModel"],
        "model_type": "clip_text_model",
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": len(layers),
        "num_attention_heads": max(1, width // _HEAD),
        "max_position_embeddings": positions,
        "hidden_act": activation,
        "projection_dim": projected,
        "bos_token_id": 0,
        "eos_token_id": 2,  # transformers takes this for "the largest token", as CLIP's first configuration says
    }


def _tokenizer(pad: str) -> dict[str, Any]:
    return {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": 77,
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": pad,
        "do_lower_case": True,
    }


def _predicts_v(head: Header, file: Path) -> bool:
    """Whether the denoiser predicts v: what the maker says, and of Stable Diffusion 2 else a guess.

    Makers say it by the standard of model sites, by an empty tensor, or by a .yaml of the file's name beside it. The
    guess is ComfyUI's: a bias that is spread wider in the published models of v-prediction.
    """
    said = head.told.get("modelspec.prediction_type", head.told.get("prediction_type", "")).lower()
    beside = file.with_suffix(".yaml")
    told = beside.read_text(encoding="utf-8", errors="replace") if beside.is_file() else ""
    if "v_pred" in head.shapes or said.startswith("v") or re.search(r"parameterization:\s*[\"']?v\b", told):
        return True
    telling = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
    if said or told or head.layout != "sd2" or telling not in head.shapes:
        return False
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        return bool(opened.get_tensor(telling).float().std(unbiased=False) > SPREAD_OF_V)


def _scheduler(head: Header, file: Path) -> dict[str, Any]:
    v = _predicts_v(head, file)
    shared = {**_BETAS, "steps_offset": 1, "prediction_type": "v_prediction" if v else "epsilon"}
    spacing = "leading"
    if "ztsnr" in head.shapes:  # the last time is pure noise then, and has to be visited
        shared["rescale_betas_zero_snr"], spacing = True, "trailing"
    if head.layout == "sdxl":
        return {"_class_name": "EulerDiscreteScheduler", "timestep_spacing": spacing, **shared}
    return {
        "_class_name": "DDIMScheduler",
        "timestep_spacing": spacing,
        "clip_sample": False,
        "set_alpha_to_one": False,
        **shared,
    }
