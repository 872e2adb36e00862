"""The micro CLIP's lessons: photographs and paintings with captions, spoiled as a diffusion model might soften them."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor
from torch.utils.data import Dataset

from impress_ui.art.artists import ARTISTS
from impress_ui.art.subjects import SUBJECTS, subject_of
from impress_ui.measures.classifiers.common import CLASSES
from impress_ui.measures.classifiers.renderings import in_manner
from training.captions import STYLE_PHRASES
from training.paintings import square_of
from training.photos import training_files

# Short sides of the two views of each landscape that are painted: a whole one and a detail.
VIEWS = (128, 168)
# Ways to name any class, and those that suit the artists alone; the styles' own are in ``STYLE_PHRASES``.
ANY = ("{manner}", "a picture in the style of {manner}", "{thing} in the style of {manner}")
BY = ("{thing} by {manner}", "{thing} by {manner}", "a picture by {manner}")


def caption(subject: str, manner: str, rng: random.Random) -> str:
    """A sentence for a picture: 'a mosaic of a mountain', 'the sea by Cobalt', 'a picture in the style of woodcut'."""
    thing = rng.choice(SUBJECTS[subject])
    if rng.random() < 0.5:
        return rng.choice(ANY).format(manner=manner, thing=thing)
    if manner in ARTISTS:
        return rng.choice(BY).format(manner=manner, thing=thing)
    return f"{rng.choice(STYLE_PHRASES[manner])} of {thing}"


def paint_all(folder: Path, cache: Path, views: tuple[int, ...] = VIEWS, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Training landscapes in every manner, (pieces, classes, 128, 128, 3) uint8 in ``CLASSES``' order, and subjects.

    Kept in the folder ``cache``, which a changed painter must be told by deleting it.
    """
    if not (cache / "subjects.txt").exists():
        cache.mkdir(parents=True, exist_ok=True)
        rng, pieces, subjects, began = random.Random(seed), [], [], time.monotonic()
        for number, path in enumerate(training_files(folder)[0], 1):
            with Image.open(path) as file:
                image = file.convert("RGB")
            for short_side in views:
                piece = square_of(image, short_side, rng)
                pieces.append(np.stack([in_manner(manner, piece, rng.randrange(2**31)) for manner in CLASSES]))
                subjects.append(subject_of(path.stem))
            if number % 25 == 0:
                print(f"painted {number} landscapes, {time.monotonic() - began:.0f} s", flush=True)
        np.save(cache / "pictures.npy", np.stack(pieces))
        (cache / "subjects.txt").write_text("\n".join(subjects))
    return np.load(cache / "pictures.npy", mmap_mode="r"), (cache / "subjects.txt").read_text().split("\n")


def spoil(picture: Image.Image, side: int, rng: random.Random) -> Image.Image:
    """A piece of the picture at a side: perhaps mirrored, softened, compressed, noisy, lighter or darker.

    Colours are never turned or inverted: they are half of what tells one manner from another.
    """
    edge = round(picture.width * rng.uniform(0.6, 1))
    left, top = rng.randint(0, picture.width - edge), rng.randint(0, picture.height - edge)
    picture = picture.crop((left, top, left + edge, top + edge))
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.6:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6)))
    if rng.random() < 0.4:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=rng.randint(30, 95))
        picture = Image.open(stream)
    picture = picture.resize((side, side), Image.Resampling.BICUBIC)
    if rng.random() < 0.6:
        picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.8, 1.2))
        picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.75, 1.25))
        picture = ImageEnhance.Color(picture).enhance(rng.uniform(0.75, 1.2))
    if rng.random() < 0.4:
        noise = np.random.default_rng(rng.randrange(2**31)).normal(0, rng.uniform(2, 12), (side, side, 3))
        picture = Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))
    return picture


class Lessons(Dataset):
    """Batches by their number, each of ``repeats`` pictures of every class: a run that goes on sees what it would have.

    An item is pictures (N, 3, side, side) in [0, 1], captions, and each picture's class number (N,).
    """

    def __init__(self, pictures: np.ndarray, subjects: list[str], side: int, repeats: int, seed: int) -> None:
        self.pictures, self.subjects, self.side, self.repeats, self.seed = pictures, subjects, side, repeats, seed

    def __getitem__(self, number: int) -> tuple[Tensor, list[str], Tensor]:
        rng = random.Random(self.seed * 10_000_019 + number)
        spoilt, captions, kinds = [], [], []
        for kind, manner in [(k, m) for k, m in enumerate(CLASSES)] * self.repeats:
            piece = rng.randrange(len(self.pictures))
            spoilt.append(np.asarray(spoil(Image.fromarray(self.pictures[piece, kind]), self.side, rng)))
            captions.append(caption(self.subjects[piece], manner, rng))
            kinds.append(kind)
        return torch.from_numpy(np.stack(spoilt)).permute(0, 3, 1, 2).float() / 255, captions, torch.tensor(kinds)
