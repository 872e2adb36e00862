"""A zero-shot classifier from a CLIP: a picture has the class whose sentence lies nearest to it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import huggingface_hub
import open_clip
import torch
from PIL import Image
from torch import Tensor, nn

from impress_ui.errors import UserError
from impress_ui.measures.classifiers.common import CLASSES, check_classes
from impress_ui.models.checksums import check
from impress_ui.models.weight_files import path_of
from impress_ui.paths import MICRO_CLIP
from impress_ui.settings import MICRO_CLIP_NAME, ClassifySettings

VIT = "ViT-B-32"
CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
BATCH = 32
EXAMPLES = 4  # photographs that show each known class where classes are known by pictures


class ClipClassifier:
    """Probabilities of classes for pictures (Radford et al. 2021, arXiv 2103.00020, section 3.1).

    Args:
        settings: the model, the classes and the sentences about them.
        device: where to compute.

    Raises:
        UserError: a class list or a top-k that decides nothing, a model that is not there or cannot be loaded.
    """

    def __init__(self, settings: ClassifySettings, device: str = "cpu") -> None:
        self.settings, self.device = settings, device
        self.classes = settings.classes or CLASSES
        check_classes(self.classes, settings.top_k)
        self.model, self.preprocess, self.tokenizer = _load(settings.model, device)
        # (dimensions, classes), each class's sentences averaged and of unit length.
        self.texts = open_clip.build_zero_shot_classifier(
            self.model, self.tokenizer, self.classes, settings.templates, device=device
        )

    @torch.no_grad()
    def scores(self, images: Sequence[Image.Image]) -> Tensor:
        """Probabilities (N, classes): softmax over the classes of logit scale times cosine."""
        if not images:
            return torch.zeros(0, len(self.classes))
        return (self.model.logit_scale.exp() * self.features(images) @ self.texts).softmax(1).cpu()

    @torch.no_grad()
    def with_examples(self, name: str, images: Sequence[Image.Image]) -> ClipClassifier:
        """A classifier that also knows a class by pictures of it, for a style that no sentence describes.

        Every class is then known by pictures: pictures lie nearer to each other than to sentences, so a class known by
        pictures alone would win from the others. The known ones are renderings of four photographs.
        """
        from impress_ui.measures.classifiers.renderings import held_out

        shown: dict[str, list[Image.Image]] = {}
        for rendering in held_out("validation", EXAMPLES):
            shown.setdefault(rendering.manner, []).append(rendering.image)
        shown[name] = list(images)
        twin = copy.copy(self)
        twin.classes = tuple(shown)
        means = torch.stack([self.features(pictures).mean(dim=0) for pictures in shown.values()])
        twin.texts = torch.nn.functional.normalize(means, dim=1).T
        return twin

    @torch.no_grad()
    def text_features(self, sentence: str) -> Tensor:
        """The embedding of one sentence (dimensions,), of unit length."""
        return self.model.encode_text(self.tokenizer([sentence]).to(self.device), normalize=True)[0]

    @torch.no_grad()
    def features(self, images: Sequence[Image.Image]) -> Tensor:
        """Embeddings of pictures (N, dimensions), of unit length."""
        rows = []
        for first in range(0, len(images), BATCH):
            batch = torch.stack([self.preprocess(image.convert("RGB")) for image in images[first : first + BATCH]])
            rows.append(self.model.encode_image(batch.to(self.device), normalize=True))
        return torch.cat(rows)


@lru_cache(maxsize=2)
def load_clip_classifier(settings: ClassifySettings, device: str = "cpu") -> ClipClassifier:
    """The classifier of these settings, kept for the next call."""
    return ClipClassifier(settings, device)


def _load(name: str, device: str) -> tuple[nn.Module, Callable, Callable]:
    """(model, preprocessing, tokenizer) by the setting ``model``; safetensors only."""
    arguments = _arguments(name)
    try:
        with _silence():
            model, _, preprocess = open_clip.create_model_and_transforms(
                **arguments, device=device, weights_only=True, require_pretrained=True
            )
            tokenizer = open_clip.get_tokenizer(arguments["model_name"])
    except Exception as error:  # open_clip raises many kinds
        short = " ".join(str(error).split())[:200]
        raise UserError(f"The classifier {name} cannot be loaded ({type(error).__name__}: {short}).") from error
    return model.eval(), preprocess, tokenizer


def _arguments(name: str) -> dict[str, str | bool]:
    """What open_clip's factory takes for a model by name, by file or in a folder."""
    if name == VIT:
        return {"model_name": VIT, "pretrained": str(_from_hub()), "force_quick_gelu": True}
    if name.startswith(f"{VIT}:"):
        named = name.removeprefix(f"{VIT}:")
        file = path_of(named)
        if file is None or not file.is_file():
            raise UserError(f"There is no file {named[-100:]} with the weights of {VIT}; check the path.")
        if file.suffix != ".safetensors":
            raise UserError(f"{file.name} is no safetensors file; pickled weights are not loaded, convert them.")
        return {"model_name": VIT, "pretrained": str(file), "force_quick_gelu": True}
    folder = MICRO_CLIP if name == MICRO_CLIP_NAME else path_of(name)
    if folder is None or not folder.is_dir():
        raise UserError(
            f"There is no classifier {name[:100]}; use {MICRO_CLIP_NAME}, {VIT}, or an open_clip model's folder."
        )
    for part in (CONFIG, WEIGHTS):
        if not (folder / part).is_file():
            raise UserError(f"The folder {folder.name} holds no {part}; open_clip's layout has one.")
    check(folder / WEIGHTS)
    return {"model_name": f"local-dir:{folder}"}


def _from_hub() -> Path:
    """OpenAI's weights as safetensors, where open_clip's own table says; what is in the hub's cache needs no network.

    open_clip would fetch them itself, but go on to the pickled ones where that fails.
    """
    file = _vit(fetch=False) or _vit(fetch=True)
    if file is None:
        raise UserError(
            f"The weights of {VIT} are neither in the hub's cache nor to be had from the hub; fetch them once with a "
            f"connection, or give their file as {VIT}:FILE."
        )
    return file


def vit_is_at_hand() -> bool:
    """Whether OpenAI's weights are in the hub's cache, so that they can be used without half a gigabyte's download."""
    return _vit(fetch=False) is not None


def _vit(fetch: bool) -> Path | None:
    repo = open_clip.get_pretrained_cfg(VIT, "openai")["hf_hub"].rstrip("/")
    try:
        folder = huggingface_hub.snapshot_download(repo, allow_patterns=[WEIGHTS], local_files_only=not fetch)
    except Exception:  # of the hub, the network and the disk
        return None
    file = Path(folder) / WEIGHTS
    return file if file.is_file() else None


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps open_clip, which logs at the root and would set up its own handler there, from speaking of what it does."""
    root, handler = logging.getLogger(), logging.NullHandler()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
