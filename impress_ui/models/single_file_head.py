"""A checkpoint in one file, as most people keep Stable Diffusion: what stands at its head, and which kind it is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
_TOKENS = ("transformer.text_model.embeddings", "transformer.embeddings", "model")  # what CLIP's table of tokens is in
# A tensor that each part has: a stray one under the same beginning makes none.
NEEDED = {
    "vae": ("encoder.conv_in.weight",),
    "unet": ("input_blocks.0.0.weight",),
    **dict.fromkeys(("text_encoder", "text_encoder_2"), tuple(f"{place}.token_embedding.weight" for place in _TOKENS)),
}
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Header:
    """What stands at the head of a file of weights: the tensors' shapes, and what its maker wrote beside them."""

    shapes: Shapes
    told: Mapping[str, str]
    layout: Layout

    def starts(self, part: str) -> str:
        """What the part's tensors' names begin with."""
        needed = NEEDED[part]
        return next(prefix for prefix in PREFIXES[part] if any(f"{prefix}{name}" in self.shapes for name in needed))


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
        if any(key.startswith("edm_") for key in shapes):
            raise UserError(f"{name} was taught by EDM's rule, as Playground 2.5 and CosXL; that is not known here.")
        return _kind_of(shapes, name)
    if holds_vae and "encoder.down_blocks.0.resnets.0.conv1.weight" not in shapes:
        return "autoencoder"
    if any(".down_blocks.0." in f".{key}" for key in shapes):
        raise UserError(f"{name} is a part of a folder in diffusers' layout; give that folder.")
    raise UserError(
        f"{name} is none of the files that are known: Stable Diffusion 1, 2 and XL, their inpainting kinds, and "
        "autoencoders."
    )


def _kind_of(shapes: Shapes, name: str) -> Layout:
    """Which Stable Diffusion it is, by its denoiser alone: what stands around it has many names."""
    contexts = {shape[1] for key, shape in shapes.items() if key.startswith(UNET) and key.endswith("attn2.to_k.weight")}
    projections = [shape for key, shape in shapes.items() if key.startswith(UNET) and key.endswith(".proj_in.weight")]
    if f"{UNET}label_emb.0.0.weight" in shapes:
        if contexts == {1280}:
            raise UserError(f"{name} is Stable Diffusion XL's refiner; take the base model.")
        if contexts == {1024}:
            raise UserError(f"{name} is Stable Diffusion 2's unCLIP, which is made for pictures in place of text.")
        return "sdxl"
    return "sd2" if any(len(shape) == 2 for shape in projections) else "sd1"
