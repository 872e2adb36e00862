"""A checkpoint in one file, as most people keep Stable Diffusion: which kind it is, and its parts' configurations.

Such a file holds the weights of all parts in their first authors' names, and no configuration. What a configuration
says is read off the tensors' shapes here, and the rest is what the kind has by its publication: no file is fetched, and
distilled or narrower models of the same kinds are understood too. ``single_file_weights`` reads the weights.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from impress_ui.errors import UserError

Layout = Literal["sd1", "sd2", "sdxl", "autoencoder"]
SUFFIX = ".safetensors"
PICKLED = (".ckpt", ".pt", ".pth", ".bin")
UNET = "model.diffusion_model."
# Where a part's tensors begin; the first that the file has. A file that is an autoencoder has them without a beginning.
PREFIXES = {
    "vae": ("first_stage_model.", "vae.", ""),
    "unet": (UNET,),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0."),
    "text_encoder_2": ("conditioner.embedders.1.",),
}
# Latent channels, and words of a file's name where it is an autoencoder alone, to (scaling, shift), as published.
_SCALES = {"sd": (0.18215, None), "sdxl": (0.13025, None), "sd3": (1.5305, 0.0609), "flux": (0.3611, 0.1159)}
_HEAD = 64  # channels of an attention head in Stable Diffusion 2, XL and every CLIP; 1.x has eight heads instead
_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Header:
    """What stands at the head of a file of weights: the tensors' shapes, and what its maker wrote beside them."""

    shapes: Shapes
    told: Mapping[str, str]
    layout: Layout

    def starts(self, part: str) -> str:
        """What the part's tensors' names begin with."""
        return next(prefix for prefix in PREFIXES[part] if _has(self.shapes, prefix))


def header(file: Path) -> Header:
    """Read a file's head, once for as long as the file stays as it is.

    Raises:
        UserError: it is a pickle, damaged, or of a kind that is not known.
    """
    if file.suffix.lower() in PICKLED:
        raise UserError(
            f"{file.name} is a pickle, which can run any program when it is opened, so it is not loaded; convert it to "
            "safetensors, or take the safetensors file that most model sites offer beside it."
        )
    return _header(file, file.stat().st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _header(file: Path, modified: int) -> Header:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
            told = opened.metadata() or {}
    except (OSError, SafetensorError, ValueError):
        with file.open("rb") as stream:
            pointer = stream.read(len(b"version https://git-lfs")) == b"version https://git-lfs"
        if pointer:
            raise UserError(f"{file.name} was not fetched, only Git's pointer to it: run 'git lfs pull'.") from None
        raise UserError(f"{file.name} cannot be read as safetensors; it may be incomplete: copy it again.") from None
    return Header(shapes, told, _layout(shapes, file.name))


def _has(shapes: Shapes, prefix: str) -> bool:
    return any(name.startswith(f"{prefix}encoder.") or name.startswith(prefix or "\0") for name in shapes)


def _layout(shapes: Shapes, name: str) -> Layout:
    if any("lora_" in key for key in shapes):
        raise UserError(f"{name} is a LoRA, not a checkpoint: give it with --lora beside the checkpoint it is for.")
    holds_vae = any(f"{prefix}encoder.conv_in.weight" in shapes for prefix in PREFIXES["vae"])
    if f"{UNET}input_blocks.0.0.weight" in shapes:
        channels = shapes[f"{UNET}input_blocks.0.0.weight"][1]
        if channels not in (4, 9):
            raise UserError(
                f"The denoiser in {name} takes {channels} channels; known are ordinary ones (4) and inpainting (9)."
            )
        if not holds_vae:
            raise UserError(f"{name} holds a denoiser without its autoencoder; take a file that holds both.")
        if _has(shapes, "conditioner.embedders.1.model."):
            return "sdxl"
        if _has(shapes, "conditioner.embedders.0.model."):
            raise UserError(f"{name} is Stable Diffusion XL's refiner; take the base model.")
        return "sd2" if _has(shapes, "cond_stage_model.model.") else "sd1"
    if holds_vae and "encoder.down_blocks.0.resnets.0.conv1.weight" not in shapes:
        return "autoencoder"
    if any(".down_blocks.0." in f".{key}" for key in shapes):
        raise UserError(f"{name} is a part of a folder in diffusers' layout; give that folder.")
    raise UserError(
        f"{name} is none of the files that are known: Stable Diffusion 1, 2 and XL, their inpainting kinds, and "
        "autoencoders."
    )


def config_of(file: Path, part: str) -> dict[str, Any]:
    """A part's configuration, as its folder in diffusers' layout would have it.

    Raises:
        UserError: the file has no such part, or it is of a build that is not known.
    """
    head = header(file)
    layout = "sdxl" if head.layout == "sdxl" else head.layout
    make = {
        "vae": lambda: _vae(head, file.name),
        "unet": lambda: _unet(head),
        "text_encoder": lambda: _text(head, "text_encoder"),
        "text_encoder_2": lambda: _text(head, "text_encoder_2"),
        "tokenizer": lambda: _tokenizer("<|endoftext|>" if layout in ("sd1", "sdxl") else "!"),
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
    if channels == 16:
        kind = "sd3" if "sd3" in name.lower() or prefix else "flux"
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


def _unet(head: Header) -> dict[str, Any]:
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
        "sample_size": {"sd1": 64, "sd2": 96 if _predicts_v(head) else 64, "sdxl": 128}[head.layout],
        "attention_head_dim": 8 if head.layout == "sd1" else [width // _HEAD for width in widths],
        "upcast_attention": head.layout == "sd2",  # 2.1's overflows in float16 without
    }
    if head.layout == "sdxl":
        pooled = shapes["conditioner.embedders.1.model.text_projection"][1]
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
        inner, activation = shapes[f"{stem}encoder.layers.0.mlp.fc1.weight"][0], "quick_gelu"
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


def _predicts_v(head: Header) -> bool:
    """What the maker says: the standard of model sites, or the empty tensor that trainers of v-prediction leave.

    Nothing in the weights themselves says it.
    """
    said = head.told.get("modelspec.prediction_type", head.told.get("prediction_type", ""))
    return "v_pred" in head.shapes or said.lower().startswith("v")


def _scheduler(head: Header, file: Path) -> dict[str, Any]:
    beside = file.with_suffix(".yaml")  # as the older programs want it beside models of v-prediction
    told = beside.read_text(encoding="utf-8", errors="replace") if beside.is_file() else ""
    v = _predicts_v(head) or re.search(r"parameterization:\s*[\"']?v\b", told) is not None
    shared = {**_BETAS, "steps_offset": 1, "prediction_type": "v_prediction" if v else "epsilon"}
    if "ztsnr" in head.shapes:
        shared["rescale_betas_zero_snr"] = True
    if head.layout == "sdxl":
        return {"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading", **shared}
    return {"_class_name": "DDIMScheduler", "clip_sample": False, "set_alpha_to_one": False, **shared}
