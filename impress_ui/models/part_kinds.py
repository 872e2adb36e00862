"""The parts of a checkpoint in diffusers' layout: their files, and the classes that are loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PartKind:
    """What a part of a diffusers folder consists of, and which classes are loaded.

    Args:
        class_key: the configuration's entry that names the class.
        weights: stem of the weights' file names; empty where there are none.
        files: what else it needs: one of these groups of files.
    """

    config: str
    class_key: str
    classes: tuple[str, ...]
    weights: str = ""
    files: tuple[tuple[str, ...], ...] = ((),)

    def weight_files(self, variant: str | None) -> tuple[str, ...]:
        """Patterns of the weights' file names: one file or, with the shards that it names, an index."""
        if not self.weights:
            return ()
        if variant is None:
            ends = [".safetensors", ".safetensors.index.json"]
        else:  # diffusers and transformers have changed their minds about the order
            ends = [
                f".{variant}.safetensors",
                f".safetensors.index.{variant}.json",
                f".{variant}.safetensors.index.json",
            ]
        return tuple(self.weights + end for end in ends)

    def shards(self, variant: str | None) -> tuple[str, ...]:
        """Patterns of the names of the weights' shards."""
        ends = ["-0*.safetensors"] if variant is None else [f"-0*.{variant}.safetensors", f".{variant}-0*.safetensors"]
        return tuple(self.weights + end for end in ends) if self.weights else ()

    def has_weights(self, folder: Path, variant: str | None) -> bool:
        """Whether the folder has the weights that the part needs, if it needs any."""
        return not self.weights or any(any(folder.glob(pattern)) for pattern in self.weight_files(variant))

    def class_of(self, config: dict[str, Any]) -> Any:
        """The class that a configuration names."""
        declared = config.get(self.class_key)
        return declared[0] if isinstance(declared, list) and declared else declared


_TEXT = PartKind("config.json", "architectures", ("CLIPTextModel", "CLIPTextModelWithProjection"), "model")
_TOKENIZER = PartKind(
    "tokenizer_config.json",
    "tokenizer_class",
    ("CLIPTokenizer", "CLIPTokenizerFast"),
    files=(("vocab.json", "merges.txt"), ("tokenizer.json",)),
)
_SCHEDULERS = (
    "DDIM", "PNDM", "EulerDiscrete", "EulerAncestralDiscrete", "DPMSolverMultistep", "LMSDiscrete",
    "UniPCMultistep", "DEISMultistep", "DDPM", "LCM", "HeunDiscrete", "DPMSolverSinglestep",
)  # fmt: skip
PREDICTIONS = ("epsilon", "v_prediction")  # what the denoising errors and the clean estimates are written for
_DIFFUSERS_WEIGHTS = "diffusion_pytorch_model"
PARTS = {
    "vae": PartKind("config.json", "_class_name", ("AutoencoderKL", "VGGAutoencoder"), _DIFFUSERS_WEIGHTS),
    "unet": PartKind("config.json", "_class_name", ("UNet2DConditionModel",), _DIFFUSERS_WEIGHTS),
    "text_encoder": _TEXT,
    "text_encoder_2": _TEXT,
    "tokenizer": _TOKENIZER,
    "tokenizer_2": _TOKENIZER,
    "scheduler": PartKind("scheduler_config.json", "_class_name", tuple(f"{name}Scheduler" for name in _SCHEDULERS)),
}
