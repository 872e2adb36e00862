"""A checkpoint in one file: its parts, with the weights that they need and no others, through diffusers' conversion."""

from __future__ import annotations

import gzip
import importlib.util
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from impress_ui.errors import UserError
from impress_ui.models.single_file_head import header


def load(file: Path, part: str, config: dict[str, Any], cls: Any, dtype: torch.dtype | None) -> Any:
    """A part as an instance of ``cls``, a class of diffusers or transformers; on the CPU.

    Args:
        config: of ``single_file.config_of``.

    Raises:
        UserError: weights are missing.
    """
    if part.startswith("tokenizer"):
        return _tokenizer(config, cls)
    if part == "scheduler":
        return cls.from_config(config)
    weights = _weights(file, part)
    with tempfile.TemporaryDirectory() as folder:  # both want a configuration's file
        (Path(folder) / "config.json").write_text(json.dumps(config), encoding="utf-8")
        if part.startswith("text_encoder"):
            from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm

            module = create_diffusers_clip_model_from_ldm(cls, weights, config=folder, local_files_only=True)
        else:
            try:
                module = cls.from_single_file(weights, config=folder, local_files_only=True)
            except NotImplementedError:  # what was given no values cannot be moved
                raise _lacking(file, part) from None
    if any(value.is_meta for value in module.parameters()):
        raise _lacking(file, part)
    if part == "unet" and sum(value.numel() for value in weights.values()) > sum(
        value.numel() for value in module.parameters()
    ):  # what found no place would be left out in silence
        raise UserError(f"The denoiser in {file.name} holds more than is known here: it is of another build.")
    # diffusers' own ``to`` warns of modules that are to stay in float32, of which there are none.
    return nn.Module.to(module, dtype or torch.float32)


def _lacking(file: Path, part: str) -> UserError:
    return UserError(f"{file.name} lacks tensors of its {part}: it is incomplete, or of another build.")


def _weights(file: Path, part: str) -> dict[str, Tensor]:
    """The part's tensors, in the names that diffusers' conversion knows."""
    from safetensors import safe_open

    start = header(file).starts(part)
    found = {}
    with safe_open(file, framework="pt") as opened:
        for name in opened.keys():  # noqa: SIM118
            if name.startswith(start):
                found[_as_published(name)] = opened.get_tensor(name)
    return found


def _as_published(name: str) -> str:
    """Some merged files have lost a word of the text encoder's names."""
    stem = "cond_stage_model.transformer."
    lost = name.startswith(tuple(f"{stem}{part}." for part in ("embeddings", "encoder", "final_layer_norm")))
    return f"{stem}text_model.{name.removeprefix(stem)}" if lost else name


def _tokenizer(config: dict[str, Any], cls: Any) -> Any:
    """CLIP's tokenizer, from the list of merges that open_clip carries (that of OpenAI's publication)."""
    spec = importlib.util.find_spec("open_clip")
    if spec is None or spec.origin is None:
        raise UserError("A checkpoint in one file needs the package open_clip_torch, which brings CLIP's vocabulary.")
    packed = Path(spec.origin).parent / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.decompress(packed.read_bytes()).decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(merge.split()) for merge in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    pairs = [tuple(merge.split()) for merge in merges]
    told = {name: value for name, value in config.items() if name != "tokenizer_class"}
    return cls(vocab={token: number for number, token in enumerate(tokens)}, merges=pairs, **told)


def _byte_letters() -> list[str]:
    """A printable letter for each byte, in the order of GPT-2's and CLIP's vocabularies."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + number) for number in range(len(others))]
