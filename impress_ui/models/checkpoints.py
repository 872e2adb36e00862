"""Where a checkpoint's parts come from (the embedded folder, a person's folder, the hub) and what may be loaded.

    source = find_source("stable-diffusion-v1-5/stable-diffusion-v1-5")
    part = source.part("vae")                       # fetched if need be, and checked
    module = AutoencoderKL.from_pretrained(**part.arguments())

A part is always loaded from a folder: a hub checkpoint's part is first fetched into the hub's cache, by name, and
only its JSON, vocabulary and safetensors files. So the same checks hold everywhere and no pickle is ever fetched.
"""

from __future__ import annotations

import errno
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impress_ui.errors import UserError
from impress_ui.models.hub_catalogue import HUB, HubCheckpoint
from impress_ui.models.weight_files import is_safe, pickled, refusal_of_pickles, refuse_pointers
from impress_ui.paths import EMBEDDED_CHECKPOINT
from impress_ui.settings import EMBEDDED, Precision


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


@dataclass(frozen=True)
class Part:
    """One part of a checkpoint, on disk and checked.

    Args:
        root: the checkpoint's folder.
        subfolder: the part's folder in it; empty where the checkpoint is this part alone.
        variant: of the weights' file names, such as fp16.
    """

    checkpoint: str
    name: str
    root: Path
    subfolder: str
    config: dict[str, Any]
    class_name: str
    variant: str | None = None

    def weight_files(self) -> list[Path]:
        """The part's files of weights."""
        kind, folder = PARTS[self.name], self.root / self.subfolder
        patterns = (*kind.weight_files(self.variant), *kind.shards(self.variant))
        return sorted({file for pattern in patterns for file in folder.glob(pattern) if file.suffix == ".safetensors"})

    def arguments(self) -> dict[str, Any]:
        """What ``from_pretrained`` of the part's class takes."""
        where = {"pretrained_model_name_or_path": str(self.root), "subfolder": self.subfolder, "local_files_only": True}
        return where | {"use_safetensors": True, "variant": self.variant} if PARTS[self.name].weights else where


@dataclass(frozen=True)
class Source:
    """A checkpoint to take parts from: a folder, or an entry of the hub's catalogue.

    Args:
        name: what the person calls it.
    """

    name: str
    folder: Path | None = None
    hub: HubCheckpoint | None = None

    @property
    def key(self) -> str:
        """Equal for equal checkpoints."""
        return self.hub.repos[0] if self.hub else str(self.folder)

    @property
    def autoencoder_only(self) -> bool:
        """Whether it is of a kind whose denoiser this program does not know, such as SD3 and FLUX."""
        if self.hub:
            return "unet" not in self.hub.parts
        assert self.folder is not None
        return (self.folder / "transformer").is_dir() and not (self.folder / "unet").is_dir()

    def part(self, name: str, precision: Precision = "float32") -> Part:
        """A part, fetched from the hub if need be, and checked.

        Args:
            name: one of ``PARTS``.
            precision: what it will run in; for float16 the fp16 variant is preferred, where there is one.

        Raises:
            UserError: it is missing, damaged, of another class, has pickled weights only, or cannot be fetched.
        """
        variants = ("fp16", None) if precision == "float16" else (None, "fp16")
        if self.hub:
            return _checked(_fetch(self.hub, name, variants), self.name, name, variants)
        assert self.folder is not None
        return _checked(self.folder, self.name, name, variants)


def find_source(checkpoint: str) -> Source:
    """The embedded checkpoint, a folder in diffusers' layout, or a hub id from the catalogue (a mirror's will do).

    Raises:
        UserError: it is none of these.
    """
    if checkpoint == EMBEDDED:
        if not (EMBEDDED_CHECKPOINT / "vae").is_dir():
            raise UserError(
                f"The program's own files are not whole: {EMBEDDED_CHECKPOINT} is missing. Fetch the program again."
            )
        return Source(EMBEDDED, folder=EMBEDDED_CHECKPOINT)
    try:
        folder = Path(checkpoint).expanduser().resolve()
        found = folder.is_dir()
    except (OSError, RuntimeError, ValueError):  # too long, no such home, a character that no path has
        found = False
    if found:
        if snapshots := sorted(folder.glob("snapshots/*/"), key=lambda each: each.stat().st_mtime):
            raise UserError(
                f"{checkpoint} is the hub's cache of a checkpoint, which lies in {snapshots[-1]}; give that folder."
            )
        return Source(folder.name or checkpoint, folder=folder)
    for entry in HUB.values():
        if checkpoint in entry.repos:
            return Source(checkpoint, hub=entry)
    raise UserError(
        f"There is no checkpoint folder {checkpoint}; use 'embedded', a folder in diffusers' layout, or one of the "
        f"hub ids {', '.join(HUB)}."
    )


def _fetch(entry: HubCheckpoint, name: str, variants: tuple[str | None, ...]) -> Path:
    """A folder with the part in it, in the hub's cache; what is there already needs no network."""
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    kind = PARTS[name]
    failures: list[Exception] = []

    def attempt(repo: str, variant: str | None, cached: bool) -> Path | None:
        weights = (*kind.weight_files(variant), *kind.shards(variant))
        wanted = [f"{name}/{file}" for file in (kind.config, *itertools.chain(*kind.files), *weights)]
        root = Path(huggingface_hub.snapshot_download(repo, allow_patterns=wanted, local_files_only=cached))
        complete = (root / name / kind.config).is_file() and _has_weights(root / name, kind, variant)
        return root if complete else None

    for cached in (True, False):
        for repo in entry.repos:
            for variant in variants if kind.weights else (None,):
                try:
                    root = attempt(repo, variant, cached)
                except Exception as error:  # of three libraries, and of the disk
                    if cached:
                        continue
                    failures.append(error)
                    break
                if root is not None:
                    return root
            if failures and isinstance(failures[-1], LocalEntryNotFoundError):
                break  # the hub itself is out of reach, and the mirrors are on it too
    if any(isinstance(error, GatedRepoError) for error in failures):
        reason = "its terms must be accepted on its page there, and this machine logged in with 'hf auth login'"
    elif any(isinstance(error, OSError) and error.errno == errno.ENOSPC for error in failures):
        reason = "the disk is full"
    elif not failures:
        reason = f"there are no safetensors weights of its {name}, and pickled ones are not loaded"
    elif all(isinstance(error, RepositoryNotFoundError) for error in failures):
        reason = "it is not there any more"
    else:
        reason = "this machine may have no network"
    raise UserError(
        f"The checkpoint {entry.repos[0]} could not be fetched from the hub: {reason}; "
        "or download it elsewhere and give its folder."
    )


def _checked(root: Path, checkpoint: str, name: str, variants: tuple[str | None, ...]) -> Part:
    kind, subfolder = PARTS[name], name
    if name == "vae" and not (root / "vae" / kind.config).is_file() and (root / kind.config).is_file():
        subfolder = ""  # the folder is an autoencoder
    folder = root / subfolder
    lacking = [[file for file in (kind.config, *group) if not (folder / file).is_file()] for group in kind.files]
    if all(lacking):
        if not folder.is_dir() and pickled(root):
            raise UserError(refusal_of_pickles(checkpoint, "it"))
        if name == "vae":
            raise UserError(
                f"The folder {checkpoint} holds no autoencoder; it needs a vae/config.json as diffusers saves it."
            )
        raise UserError(
            f"The checkpoint {checkpoint} has no {name}/{lacking[0][0]}, which editing and generating need; "
            "give a whole folder in diffusers' layout."
        )
    config = _read(folder / kind.config, checkpoint, f"{name}/{kind.config}")
    declared = config.get(kind.class_key)
    class_name = declared[0] if isinstance(declared, list) and declared else declared
    if class_name not in kind.classes:
        raise UserError(
            f"The {name} of the checkpoint {checkpoint} is of class {class_name}; known are {', '.join(kind.classes)}."
        )
    predicted = config.get("prediction_type", PREDICTIONS[0])
    if name == "scheduler" and predicted not in PREDICTIONS:
        raise UserError(
            f"The denoiser of the checkpoint {checkpoint} predicts '{str(predicted)[:40]}'; known are "
            f"{' and '.join(PREDICTIONS)}."
        )
    if not kind.weights:
        return Part(checkpoint, name, root, subfolder, config, class_name)
    for variant in variants:
        if _has_weights(folder, kind, variant):
            refuse_pointers(folder, checkpoint, name)
            for index in folder.glob("*.index*.json"):
                shards = _read(index, checkpoint, f"{name}/{index.name}").get("weight_map")
                if not isinstance(shards, dict) or not all(is_safe(shard) for shard in shards.values()):
                    raise UserError(refusal_of_pickles(checkpoint, f"{name}/"))
            return Part(checkpoint, name, root, subfolder, config, class_name, variant)
    if pickled(folder):
        raise UserError(refusal_of_pickles(checkpoint, f"{name}/"))
    others = sorted(file.name for file in folder.glob("*.safetensors"))
    instead = f"rename {others[0]}, which is there, if it is meant" if others else "copy it again"
    raise UserError(f"The checkpoint {checkpoint} has no {kind.weights}.safetensors in {name}/; {instead}.")


def _has_weights(folder: Path, kind: PartKind, variant: str | None) -> bool:
    return not kind.weights or any(any(folder.glob(pattern)) for pattern in kind.weight_files(variant))


def _read(file: Path, checkpoint: str, what: str) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise UserError(f"The checkpoint {checkpoint} has a damaged {what}; copy it again.")
    return config
