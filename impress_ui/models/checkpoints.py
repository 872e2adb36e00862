"""Where a checkpoint's parts come from (a folder, one file, the hub) and what may be loaded.

    source = find_source("stable-diffusion-v1-5/stable-diffusion-v1-5")
    part = source.part("vae")                       # fetched if need be, and checked
    module = AutoencoderKL.from_pretrained(**part.arguments())

A part is always loaded from a folder: a hub checkpoint's part is first fetched into the hub's cache, by name, and
only its JSON, vocabulary and safetensors files. So the same checks hold everywhere and no pickle is ever fetched.
"""

from __future__ import annotations

import errno
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impress_ui.errors import UserError
from impress_ui.models.fetching import Unwanted, alone, never, told
from impress_ui.models.hub_catalogue import HUB, SD, SDXL, HubCheckpoint
from impress_ui.models.hub_parts import parts_of
from impress_ui.models.part_kinds import PARTS, PREDICTIONS
from impress_ui.models.single_file import config_of
from impress_ui.models.single_file_head import PICKLED, SUFFIX, header
from impress_ui.models.weight_files import is_safe, path_of, pickled, read_config, refusal_of_pickles, refuse_pointers
from impress_ui.paths import EMBEDDED_CHECKPOINT
from impress_ui.settings import EMBEDDED, Precision

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Part:
    """One part of a checkpoint, on disk and checked.

    Args:
        root: the checkpoint's folder, or its one file.
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

    @property
    def in_one_file(self) -> bool:
        """Whether the checkpoint is one file with all its parts."""
        return self.root.is_file()

    def weight_files(self) -> list[Path]:
        """The part's files of weights."""
        kind, folder = PARTS[self.name], self.root / self.subfolder
        if self.in_one_file:
            return [self.root] if kind.weights else []
        patterns = (*kind.weight_files(self.variant), *kind.shards(self.variant))
        return sorted({file for pattern in patterns for file in folder.glob(pattern) if file.suffix == ".safetensors"})

    def arguments(self) -> dict[str, Any]:
        """What ``from_pretrained`` of the part's class takes."""
        where = {"pretrained_model_name_or_path": str(self.root), "subfolder": self.subfolder, "local_files_only": True}
        return where | {"use_safetensors": True, "variant": self.variant} if PARTS[self.name].weights else where


@dataclass(frozen=True)
class Source:
    """A checkpoint to take parts from: a folder or a file, or one of the hub's.

    Args:
        name: what the person calls it.
        place: the folder in diffusers' layout, or the file that holds all parts.
    """

    name: str
    place: Path | None = None
    hub: HubCheckpoint | None = None

    @property
    def key(self) -> str:
        """Equal for equal checkpoints."""
        if self.hub:
            return self.hub.repos[0]
        assert self.place is not None  # a file that is written anew is another checkpoint
        return f"{self.place} {self.place.stat().st_mtime_ns}" if self.place.is_file() else str(self.place)

    @property
    def autoencoder_only(self) -> bool:
        """Whether it is of a kind whose denoiser this program does not know, such as SD3 and FLUX."""
        if self.hub:
            return "unet" not in (self.hub.parts or parts_of(self.hub))
        assert self.place is not None
        if self.place.is_file():
            return header(self.place).layout == "autoencoder"
        return (self.place / "transformer").is_dir() and not (self.place / "unet").is_dir()

    def part(self, name: str, precision: Precision = "float32", unwanted: Callable[[], bool] = never) -> Part:
        """A part, fetched from the hub if need be, and checked.

        Args:
            name: one of ``PARTS``.
            precision: what it will run in; for float16 the fp16 variant is preferred, where there is one.
            unwanted: whether a download is to be ended.

        Raises:
            UserError: it is missing, damaged, of another class, has pickled weights only, or cannot be fetched.
            Unwanted: its download was ended.
        """
        variants = ("fp16", None) if precision == "float16" else (None, "fp16")
        if self.hub:
            return _checked(_fetch(self.hub, name, variants, unwanted), self.name, name, variants)
        assert self.place is not None
        if not self.place.is_file():
            return _checked(self.place, self.name, name, variants)
        config = config_of(self.place, name)
        return Part(self.name, name, self.place, "", config, PARTS[name].class_of(config))

    def rest(self, precision: Precision = "float32", unwanted: Callable[[], bool] = never) -> dict[str, Part]:
        """What a whole model has besides its autoencoder, by name, the denoiser first; as ``part`` gives each."""
        first = self.part("unet", precision, unwanted)
        names = SDXL if first.config.get("addition_embed_type") == "text_time" else SD
        others = (name for name in names if name not in ("vae", "unet"))
        return {"unet": first} | {name: self.part(name, precision, unwanted) for name in others}


def find_source(checkpoint: str) -> Source:
    """The embedded checkpoint, a folder in diffusers' layout, one file, or a hub id (a known one's mirror will do).

    Raises:
        UserError: it is none of these.
    """
    if checkpoint == EMBEDDED:
        if not (EMBEDDED_CHECKPOINT / "vae").is_dir():
            raise UserError(
                f"The program's own files are not whole: {EMBEDDED_CHECKPOINT} is missing. Fetch the program again."
            )
        return Source(EMBEDDED, EMBEDDED_CHECKPOINT)
    folder = path_of(checkpoint)
    if folder is not None and folder.is_file():
        header(folder)  # says what is wrong with it
        return Source(folder.name, folder)
    if folder is not None and folder.is_dir():
        if snapshots := sorted(folder.glob("snapshots/*/"), key=lambda each: each.stat().st_mtime):
            raise UserError(
                f"{checkpoint} is the hub's cache of a checkpoint, which lies in {snapshots[-1]}; give that folder."
            )
        return Source(folder.name or checkpoint, folder)
    for entry in HUB.values():
        if checkpoint in entry.repos:
            return Source(checkpoint, hub=entry)
    if HUB_ID.fullmatch(checkpoint) and Path(checkpoint).suffix.lower() not in (SUFFIX, *PICKLED):
        return Source(checkpoint, hub=HubCheckpoint(checkpoint, (checkpoint,), ()))
    raise UserError(
        f"There is no checkpoint {checkpoint}; use 'embedded', a folder in diffusers' layout, a "
        f"{SUFFIX} file, or a hub id such as {next(iter(HUB))}."
    )


def _fetch(entry: HubCheckpoint, name: str, variants: tuple[str | None, ...], unwanted: Callable[[], bool]) -> Path:
    """A folder with the part in it, in the hub's cache; what is there already needs no network."""
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    kind = PARTS[name]
    failures: list[Exception] = []

    def attempt(repo: str, variant: str | None, unwanted: Callable[[], bool] | None) -> Path | None:
        weights = (*kind.weight_files(variant), *kind.shards(variant))
        files = (kind.config, *itertools.chain(*kind.files), *weights)
        wanted = [f"{name}/{file}" for file in files]
        if name == "vae":  # a repository may be an autoencoder and nothing else
            wanted += files
        if unwanted is None:
            root = Path(huggingface_hub.snapshot_download(repo, allow_patterns=wanted, local_files_only=True))
        else:
            with told(repo, name, unwanted) as bar:
                root = Path(huggingface_hub.snapshot_download(repo, allow_patterns=wanted, tqdm_class=bar))
        folder = root if name == "vae" and not (root / name).is_dir() else root / name
        complete = (folder / kind.config).is_file() and kind.has_weights(folder, variant)
        return root if complete else None

    def look(unwanted: Callable[[], bool] | None = None) -> Path | None:
        """In the cache; on the hub where it is said when that is unwanted."""
        for repo in entry.repos:
            for variant in variants if kind.weights else (None,):
                try:
                    root = attempt(repo, variant, unwanted)
                except Unwanted:
                    raise
                except Exception as error:  # of three libraries, and of the disk
                    if unwanted is None:
                        continue
                    failures.append(error)
                    break
                if root is not None:
                    return root
            if failures and isinstance(failures[-1], LocalEntryNotFoundError):
                break  # the hub itself is out of reach, and the mirrors are on it too
        return None

    if (root := look()) is not None:
        return root
    with alone(entry.repos[0], unwanted) as by_all:  # who waited for another's download finds it in the cache
        if (root := look() or look(by_all)) is not None:
            return root
    if any(isinstance(error, GatedRepoError) for error in failures):
        reason = "its terms must be accepted on its page there, and this machine logged in with 'hf auth login'"
    elif any(isinstance(error, OSError) and error.errno == errno.ENOSPC for error in failures):
        reason = "the disk is full"
    elif not failures:
        reason = f"there are no safetensors weights of its {name}, and pickled ones are not loaded"
    elif all(isinstance(error, RepositoryNotFoundError) for error in failures):
        reason = "there is none of that name, or it is not public"
    else:
        reason = "this machine may have no network"
    here = "" if entry.title in (each.title for each in HUB.values()) else "There is no such folder here. "
    raise UserError(
        f"{here}The checkpoint {entry.repos[0]} could not be fetched from the hub: {reason}; "
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
    config = read_config(folder / kind.config, f"The checkpoint {checkpoint}", f"{name}/{kind.config}")
    class_name = kind.class_of(config)
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
        if kind.has_weights(folder, variant):
            refuse_pointers(folder, checkpoint, name)
            for index in folder.glob("*.index*.json"):
                shards = read_config(index, f"The checkpoint {checkpoint}", f"{name}/{index.name}").get("weight_map")
                if not isinstance(shards, dict) or not all(is_safe(shard) for shard in shards.values()):
                    raise UserError(refusal_of_pickles(checkpoint, f"{name}/"))
            return Part(checkpoint, name, root, subfolder, config, class_name, variant)
    if pickled(folder):
        raise UserError(refusal_of_pickles(checkpoint, f"{name}/"))
    others = sorted(file.name for file in folder.glob("*.safetensors"))
    instead = f"rename {others[0]}, which is there, if it is meant" if others else "copy it again"
    raise UserError(f"The checkpoint {checkpoint} has no {kind.weights}.safetensors in {name}/; {instead}.")
