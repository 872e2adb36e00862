"""LoRA files beside a checkpoint: those of kohya's trainer, of diffusers and of PEFT, added to the model's weights."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from impress_ui.errors import UserError
from impress_ui.models.checksums import check, sha256
from impress_ui.models.single_file_head import PICKLED
from impress_ui.models.weight_files import path_of

logger = logging.getLogger(__name__)
PEFT = "base_model.model."
# Kinds of adapters that share the file's form and are computed otherwise.
OTHERS = {
    "hada_": "LoHa", "lokr_": "LoKr", "oft_": "OFT", "dora_scale": "DoRA", "lora_magnitude_vector": "DoRA",
    "lora_mid": "LoCon in Tucker's form", ".w_norm": "a LyCORIS of norms", ".b_norm": "a LyCORIS of norms",
}  # fmt: skip
# The first half of each layer's adapter, and the second: dialects differ in the words.
HALVES = {
    "lora_down.weight": "lora_up.weight", "lora_A.weight": "lora_B.weight", "lora.down.weight": "lora.up.weight",
    "lora_linear_layer.down.weight": "lora_linear_layer.up.weight",
}  # fmt: skip
FIRST = tuple(HALVES)
LOADED: dict[Path, str] = {}  # the SHA-256 of every file that was added to a model in this process
BESIDE = "bundle_emb."  # an embedding that some trainers pack with a LoRA, for a word of its own


def loras_of(words: str) -> list[tuple[Path, float]]:
    """The files of 'a.safetensors:0.7, b.safetensors' with their weights; 1 where none is given.

    Raises:
        UserError: a file is not there, or is a pickle.
    """
    found = []
    for part in filter(None, (part.strip() for part in words.split(","))):
        name, colon, number = part.rpartition(":")
        try:
            named, weight = (name, float(number)) if colon else (part, 1.0)
        except ValueError:  # the colon is the path's
            named, weight = part, 1.0
        if not math.isfinite(weight):
            raise UserError(f"A LoRA cannot have the weight {weight}; give a number, as 'style.safetensors:0.7'.")
        if Path(named).suffix.lower() in PICKLED:
            raise UserError(f"{Path(named).name} is a pickle, which is not loaded; take its safetensors file.")
        path = path_of(named)
        if path is None or not path.is_file():
            raise UserError(f"There is no LoRA file {named}; give a .safetensors file, as 'style.safetensors:0.7'.")
        found.append((path, weight))
    return found


def add_loras(words: str, name: str, unet: nn.Module, tokenizers: Sequence[Any], encoders: Sequence[nn.Module]) -> None:
    """Add the LoRAs of ``loras_of`` to the weights of a denoiser and its text encoders, each as strongly as it says.

    Args:
        name: of the checkpoint, for sentences.

    Raises:
        UserError: one is of a kind that is not known, or made for another kind of checkpoint.
    """
    files = loras_of(words)
    if not files:
        return
    import diffusers

    parts = {"vae": None, "unet": unet, "scheduler": None, "tokenizer": tokenizers[0], "text_encoder": encoders[0]}
    if len(encoders) == 2:
        second = {"tokenizer_2": tokenizers[1], "text_encoder_2": encoders[1]}
        pipeline = diffusers.StableDiffusionXLPipeline(**parts, **second, add_watermarker=False)
    else:
        pipeline = diffusers.StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    names = [f"lora{number}" for number in range(len(files))]
    for adapter, (file, _) in zip(names, files, strict=True):
        check(file)
        LOADED[file] = sha256(file)
        state = read_lora(file)
        wanted = sum(key.endswith(FIRST) for key in state)
        try:
            pipeline.load_lora_weights(state, adapter_name=adapter)
        except (ValueError, RuntimeError, KeyError, AttributeError) as error:
            raise UserError(f"The LoRA {file.name} does not fit {name} ({type(error).__name__}).") from None
        fitting = sum(_has(module, adapter) for part in (unet, *encoders) for module in part.modules())
        if not fitting or fitting < wanted:
            raise UserError(
                f"The LoRA {file.name} does not fit {name}: of its {wanted} layers {fitting} are there; it was made "
                "for another kind of checkpoint."
            )
    pipeline.set_adapters(names, [weight for _, weight in files])
    pipeline.fuse_lora(adapter_names=names)
    pipeline.unload_lora_weights()


def _has(module: nn.Module, adapter: str) -> bool:
    return hasattr(module, "lora_A") and adapter in module.lora_A


def read_lora(file: Path) -> dict[str, Tensor]:
    """A LoRA's tensors in one of the dialects that diffusers converts by itself, every layer's own scale inside.

    The scale alpha / rank differs from layer to layer where a trainer or a later resizing made it so, and diffusers
    takes the commonest for all: so it is multiplied into the second halves here, and no alpha is left for it to see.

    Raises:
        UserError: the file cannot be read, or is of another kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            names = list(opened.keys())
            state = {key: opened.get_tensor(key) for key in names if not key.startswith(BESIDE)}
            told = opened.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file.name} cannot be read as safetensors ({type(error).__name__}).") from None
    if words := sorted({name.split(".")[1] for name in names if name.startswith(BESIDE)} - {""}):
        logger.warning("%s also brings embeddings for the words %s, which are not read.", file.name, ", ".join(words))
    for mark, kind in OTHERS.items():
        if any(mark in key for key in state):
            raise UserError(f"{file.name} is of the kind {kind}; known are LoRA and LoCon.")
    if not any(key.endswith(FIRST) for key in state):
        raise UserError(f"{file.name} holds no LoRA.")
    configurations = _configurations(file, told)
    if any(key.startswith(PEFT) for key in state):
        state = {_placed(key.removeprefix(PEFT)): value for key, value in state.items()}
    elif any(key.startswith(("down_blocks.", "mid_block.", "up_blocks.", "conv_")) for key in state):
        state = {f"unet.{key}": value for key, value in state.items()}  # the denoiser's alone, as this program writes
    alphas = {key.removesuffix(".alpha"): value.item() for key, value in state.items() if key.endswith(".alpha")}
    scaled = {key: value for key, value in state.items() if not key.endswith(".alpha")}
    for key in [key for key in scaled if key.endswith(FIRST)]:
        first = next(half for half in FIRST if key.endswith(half))
        layer, rank = key.removesuffix(f".{first}"), scaled[key].shape[0]
        if not rank:
            raise UserError(f"{file.name} has a layer of rank 0, {layer}: it is damaged.")
        scale = alphas[layer] / rank if layer in alphas else _scale(layer, rank, configurations)
        other = f"{layer}.{HALVES[first]}"
        if other in scaled:
            scaled[other] = scaled[other] * scale
    return scaled


def _placed(key: str) -> str:
    """A PEFT key of a part by itself, with the part's name: a text encoder's layers are numbered in a row."""
    bare = key.removeprefix("text_model.")
    text = bare.startswith(("encoder.layers.", "embeddings.")) or "text_model." in key
    return f"text_encoder.text_model.{bare}" if text else f"unet.{key}"


def _configurations(file: Path, told: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """What says how strong the adapters are, by the part of the model: in the file's head, or as PEFT's file beside."""
    try:
        head = json.loads(told.get("lora_adapter_metadata", "{}"))
        parts: dict[str, dict[str, Any]] = {}
        for name, value in head.items():
            part, _, field = name.partition(".")
            known = part in ("unet", "text_encoder", "text_encoder_2")
            parts.setdefault(part if known else "", {})[field if known else name] = value
        if parts:
            return dict(parts)
        return {"": json.loads((file.parent / "adapter_config.json").read_text(encoding="utf-8"))}
    except (OSError, ValueError, AttributeError):
        return {}


def _scale(layer: str, rank: int, configurations: Mapping[str, Mapping[str, Any]]) -> float:
    """alpha / r of a layer, or alpha / sqrt(r) as rsLoRA has it; 1 where nothing is said."""
    part, _, inner = layer.partition(".")
    told = configurations.get(part, configurations.get("", {}))
    if "lora_alpha" not in told:
        return 1.0
    patterns = told.get("alpha_pattern") or {}
    own = next((value for name, value in patterns.items() if re.search(rf"(^|\.){re.escape(name)}$", inner)), None)
    alpha = float(told["lora_alpha"] if own is None else own)
    return alpha / (math.sqrt(rank) if told.get("use_rslora") else rank)
