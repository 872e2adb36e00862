"""LoRA files beside a checkpoint: those of kohya's trainer, of diffusers and of PEFT, added to the model's weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from impress_ui.errors import UserError
from impress_ui.models.checksums import check
from impress_ui.models.single_file import PICKLED

PEFT = "base_model.model."
# Kinds of adapters that share the file's form and are computed otherwise.
OTHERS = {"hada_": "LoHa", "lokr_": "LoKr", "oft_": "OFT", "dora_scale": "DoRA", "lora_magnitude_vector": "DoRA"}
# The first half of each layer's adapter: what is counted to see that all of a file was used.
FIRST = ("lora_down.weight", "lora_A.weight", "lora.down.weight", "lora_linear_layer.down.weight")


def loras_of(words: str) -> list[tuple[Path, float]]:
    """The files of 'a.safetensors:0.7, b.safetensors' with their weights; 1 where none is given.

    Raises:
        UserError: a file is not there, or is a pickle.
    """
    found = []
    for part in filter(None, (part.strip() for part in words.split(","))):
        name, colon, number = part.rpartition(":")
        try:
            path, weight = (Path(name), float(number)) if colon else (Path(part), 1.0)
        except ValueError:  # the colon is the path's
            path, weight = Path(part), 1.0
        if path.suffix.lower() in PICKLED:
            raise UserError(f"{path.name} is a pickle, which is not loaded; take its safetensors file.")
        if not path.expanduser().is_file():
            raise UserError(f"There is no LoRA file {path}; give a .safetensors file, as 'style.safetensors:0.7'.")
        found.append((path.expanduser().resolve(), weight))
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
        state = _read(file)
        wanted = sum(key.endswith(FIRST) for key in state)
        try:
            pipeline.load_lora_weights(state, adapter_name=adapter)
        except (ValueError, RuntimeError, KeyError) as error:
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


def _read(file: Path) -> dict[str, Tensor]:
    """A LoRA's tensors in one of the two dialects that diffusers converts by itself."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            state = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UserError(f"{file.name} cannot be read as safetensors ({type(error).__name__}).") from None
    for mark, kind in OTHERS.items():
        if any(mark in key for key in state):
            raise UserError(f"{file.name} is of the kind {kind}; known are LoRA and LoCon.")
    if not any(key.endswith(FIRST) for key in state):
        raise UserError(f"{file.name} holds no LoRA.")
    if any(key.startswith(PEFT) for key in state):
        scale = _scale(file.parent / "adapter_config.json")
        bare = {key.removeprefix(PEFT): value for key, value in state.items()}
        return {
            f"{'text_encoder' if 'text_model.' in key else 'unet'}.{key}": value * scale if ".lora_B." in key else value
            for key, value in bare.items()
        }
    if any(key.startswith(("down_blocks.", "mid_block.", "up_blocks.", "conv_")) for key in state):
        return {f"unet.{key}": value for key, value in state.items()}  # the denoiser's alone, as this program writes
    return state


def _scale(config: Path) -> float:
    """alpha / r, as PEFT keeps it beside the weights."""
    try:
        told = json.loads(config.read_text(encoding="utf-8"))
        return float(told["lora_alpha"]) / float(told["r"])
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return 1.0
