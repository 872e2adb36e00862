"""The denoiser's training set: latents of photographs and of the paintings made from them, with subject and style."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impress_ui.art.painting import PHOTOGRAPH, STYLES, paint
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import RunSettings
from training.captions import UNNAMED, subject_of
from training.photos import training_files

SIDE = 128
# Short sides that a landscape is reduced to before a square of SIDE is cut out of it: whole views, then details.
VIEWS = (128, 128, 144, 184)
ALL_STYLES = (PHOTOGRAPH, *STYLES)


@dataclass
class Pictures:
    """Scaled latents (N, 4, 32, 32) in float16, and the subject and style of each."""

    latents: Tensor
    subjects: list[str]
    styles: list[str]

    def save(self, path: Path) -> None:
        torch.save({"latents": self.latents, "subjects": self.subjects, "styles": self.styles}, path)

    @classmethod
    def load(cls, path: Path) -> Pictures:
        return cls(**torch.load(path, weights_only=True))


def square_of(image: Image.Image, short_side: int, rng: random.Random) -> np.ndarray:
    """A random SIDE x SIDE piece of the picture reduced to a short side, uint8."""
    scale = short_side / min(image.size)
    small = image.resize(
        (max(SIDE, round(image.width * scale)), max(SIDE, round(image.height * scale))), Image.Resampling.LANCZOS
    )
    left, top = rng.randint(0, small.width - SIDE), rng.randint(0, small.height - SIDE)
    return np.asarray(small.crop((left, top, left + SIDE, top + SIDE)))


class Encoder:
    """Collects paintings and encodes them in batches with the embedded autoencoder."""

    def __init__(self, batch: int = 32) -> None:
        self.autoencoder = load_autoencoder(RunSettings(size=SIDE))
        self.batch, self.waiting, self.done = batch, [], []

    def add(self, pictures: list[np.ndarray]) -> None:
        self.waiting += pictures
        while len(self.waiting) >= self.batch:
            self._encode(self.waiting[: self.batch])
            self.waiting = self.waiting[self.batch :]

    def finish(self) -> Tensor:
        if self.waiting:
            self._encode(self.waiting)
        return torch.cat(self.done)

    @torch.no_grad()
    def _encode(self, pictures: list[np.ndarray]) -> None:
        x = to_tensor([Image.fromarray(p) for p in pictures], self.autoencoder.device)
        with torch.autocast(x.device.type, torch.bfloat16):
            z = self.autoencoder.encode(x)
        self.done.append((z * self.autoencoder.scaling_factor).half().cpu())


def paint_training_set(folder: Path, seed: int = 0) -> Pictures:
    """Every training landscape in four views, mirrored too, in every style; other pictures in two views."""
    rng = random.Random(seed)
    encoder, subjects, styles = Encoder(), [], []
    landscapes, others = training_files(folder)
    began = time.monotonic()
    for number, path in enumerate([*landscapes, *others]):
        named = number < len(landscapes)
        with Image.open(path) as file:
            file.draft("RGB", (1024, 1024))
            image = file.convert("RGB")
        if min(image.size) < SIDE:
            continue
        for short_side in VIEWS if named else VIEWS[:2]:
            piece = square_of(image, short_side, rng)
            for style in ALL_STYLES if named else (PHOTOGRAPH, rng.choice(ALL_STYLES[1:])):
                pair = [paint(style, np.ascontiguousarray(p), rng.randrange(2**31)) for p in (piece, piece[:, ::-1])]
                encoder.add(pair)
                subjects += [subject_of(path.stem) if named else UNNAMED] * 2
                styles += [style] * 2
        if number % 25 == 24:
            print(
                f"painted {number + 1} of {len(landscapes) + len(others)}, {time.monotonic() - began:.0f} s", flush=True
            )
    return Pictures(encoder.finish(), subjects, styles)


def paint_validation_set() -> Pictures:
    """The validation photographs' centre squares in every style."""
    from impress_ui.pictures.photographs import names_of

    encoder, subjects, styles = Encoder(), [], []
    for seed, (name, square) in enumerate(zip(names_of("validation"), squares("validation", SIDE), strict=True)):
        for style in ALL_STYLES:
            encoder.add([paint(style, np.asarray(square), seed)])
            subjects.append(subject_of(name))
            styles.append(style)
    return Pictures(encoder.finish(), subjects, styles)
