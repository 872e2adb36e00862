"""The training photographs: found in the folder that ``fetch_photos.sh`` fills, never one of the held-out splits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import Split, names_of, squares

LANDSCAPES = "usr/share/games/endless-sky/images/land"
OTHERS = ("usr/share/games/endless-sky/images/scene", "usr/share/backgrounds", "usr/share/wallpapers")
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
# Short sides at which each photograph is kept: the app works at 128 to 512, so detail of every scale counts.
SHORT_SIDES = (128, 176, 256, 360, 512)
LANDSCAPE_SHARE = 0.7


def held_out() -> set[str]:
    """File stems of the validation and test photographs."""
    return {*names_of("test"), *names_of("validation")}


def training_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """(landscapes, other photographs and artwork) below the folder, without the held-out ones."""
    landscapes = [path for path in sorted((folder / LANDSCAPES).glob("*.jpg")) if path.stem not in held_out()]
    others: dict[str, Path] = {}
    for place in OTHERS:
        for path in sorted((folder / place).rglob("*")):
            if path.suffix.lower() not in SUFFIXES or path.is_symlink() or path.stem == "screenshot":
                continue
            # Wallpapers come in many resolutions of one picture: keep the largest file of each folder of sizes.
            key = str(path.parent) if path.parent.name.startswith("images") else str(path)
            if key not in others or path.stat().st_size > others[key].stat().st_size:
                others[key] = path
    return landscapes, list(others.values())


def pyramid(path: Path) -> list[np.ndarray]:
    """The picture as uint8 (H, W, 3) at each short side that it is large enough for."""
    with Image.open(path) as image:
        image.draft("RGB", (2048, 2048))
        picture = image.convert("RGB")
    levels = []
    for short in SHORT_SIDES:
        scale = short / min(picture.size)
        if scale > 1.001:
            break
        size = (max(short, round(picture.width * scale)), max(short, round(picture.height * scale)))
        levels.append(np.asarray(picture.resize(size, Image.Resampling.LANCZOS)))
    return levels


class Crops:
    """Endless random crops with flips, (B, 3, size, size) float32 in [-1, 1], all photographs held in memory."""

    def __init__(self, folder: Path, seed: int) -> None:
        landscapes, others = training_files(folder)
        if not landscapes:
            raise SystemExit(f"No landscapes below {folder}: run training/fetch_photos.sh first.")
        self.pools = [[levels for path in paths if (levels := pyramid(path))] for paths in (landscapes, others)]
        self.random = random.Random(seed)

    def batches(self, batch: int, size: int) -> Iterator[Tensor]:
        while True:
            crops = [self._crop(size) for _ in range(batch)]
            yield torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1

    def _crop(self, size: int) -> np.ndarray:
        pool = self.pools[0] if self.random.random() < LANDSCAPE_SHARE or not self.pools[1] else self.pools[1]
        levels = [level for level in self.random.choice(pool) if min(level.shape[:2]) >= size]
        level = self.random.choice(levels)
        top = self.random.randint(0, level.shape[0] - size)
        left = self.random.randint(0, level.shape[1] - size)
        crop = level[top : top + size, left : left + size]
        return crop[:, ::-1] if self.random.random() < 0.5 else crop


def held_out_batch(split: Split, size: int) -> Tensor:
    """Centre squares of a split's photographs at the given side, (N, 3, size, size) in [-1, 1]."""
    return to_tensor(squares(split, size))
