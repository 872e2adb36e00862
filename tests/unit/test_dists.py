"""DISTS against a reckoning in numpy that shares nothing with it but the weights, and what any distance promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from impress_ui.measures.metrics import dists
from impress_ui.paths import DISTS_WEIGHTS, LPIPS_WEIGHTS

DATA = Path(__file__).parent.parent / "data"
STAGES = (2, 2, 3, 3, 3)  # VGG16's convolutions between two poolings
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def pictures() -> dict[str, Image.Image]:
    opened = {name: Image.open(DATA / f"ex_{name}.png").convert("RGB") for name in ("ref", "p0", "p1")}
    return {name: image.resize((36, 28)) for name, image in opened.items()}


def convolved(maps: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(C, H, W) under a kernel (out, C, 3, 3) with a border of zeros."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.einsum("chwij,ocij->ohw", windows, kernel, optimize=True)


def pooled(maps: np.ndarray) -> np.ndarray:
    """The root of the squares under a window that a Hann window of five gives without its zeros, every second place."""
    hann = np.hanning(5)[1:-1]
    window = np.outer(hann, hann) / hann.sum() ** 2
    squares = np.stack([convolved(one[None] ** 2, window[None, None])[0] for one in maps])
    return np.sqrt(squares[:, ::2, ::2] + 1e-12)


def features(image: Image.Image) -> list[np.ndarray]:
    weights = load_file(LPIPS_WEIGHTS / "vgg.safetensors")
    names = sorted((name for name in weights if name.startswith("net.") and weights[name].ndim == 4), key=number_of)
    layers = iter([(weights[name].astype(float), weights[name.replace("weight", "bias")]) for name in names])
    x = np.asarray(image).transpose(2, 0, 1) / 255
    maps, seen = [x], (x - MEAN[:, None, None]) / DEVIATION[:, None, None]
    for stage, count in enumerate(STAGES):
        seen = pooled(seen) if stage else seen
        for _ in range(count):
            kernel, bias = next(layers)
            seen = np.maximum(convolved(seen, kernel) + bias[:, None, None].astype(float), 0)
        maps.append(seen)
    assert next(layers, None) is None
    return maps


def number_of(name: str) -> int:
    return int(name.split(".")[2])


def reckoned(a: Image.Image, b: Image.Image) -> float:
    weights = load_file(DISTS_WEIGHTS)
    total, at, alike = weights["alpha"].sum() + weights["beta"].sum(), 0, 0.0
    for x, y in zip(features(a), features(b), strict=True):
        for one, other in zip(x, y, strict=True):
            (mean, mean_), (var, var_) = (one.mean(), other.mean()), (one.var(), other.var())
            covariance = np.cov(one.ravel(), other.ravel(), bias=True)[0, 1]
            texture = (2 * mean * mean_ + 1e-6) / (mean**2 + mean_**2 + 1e-6)
            structure = (2 * covariance + 1e-6) / (var + var_ + 1e-6)
            alike += (weights["alpha"][at] * texture + weights["beta"][at] * structure) / total
            at += 1
    assert at == len(weights["alpha"]) == 1475
    return 1 - alike


@pytest.mark.parametrize("other", ["p0", "p1"])
def test_it_is_the_published_formula(pictures: dict[str, Image.Image], other: str) -> None:
    expected = reckoned(pictures["ref"], pictures[other])
    assert dists(pictures["ref"], pictures[other]) == pytest.approx(expected, abs=2e-5) and expected > 0.05


def test_the_authors_class_says_the_same_of_these_pictures() -> None:
    """Their package's class gave this, with alpha and beta from its file and our float16 VGG16 put into it."""
    whole = {name: Image.open(DATA / f"ex_{name}.png").convert("RGB") for name in ("ref", "p0", "p1")}
    found = [dists(whole["ref"], whole["p0"]), dists(whole["ref"], whole["p1"]), dists(whole["p0"], whole["p1"])]
    assert found == pytest.approx([0.387918, 0.225035, 0.377169], abs=1e-5)


def test_a_picture_is_no_way_from_itself_and_as_far_from_another_as_that_from_it(
    pictures: dict[str, Image.Image],
) -> None:
    a, b = pictures["ref"], pictures["p0"]
    assert dists(a, a) == pytest.approx(0, abs=1e-6)
    assert dists(a, b) == pytest.approx(dists(b, a), abs=1e-6)


def test_it_forgives_a_texture_that_is_drawn_anew() -> None:
    def drawn(seed: int) -> Image.Image:
        levels = np.random.default_rng(seed).integers(0, 256, (96, 96, 1), dtype=np.uint8).repeat(3, axis=2)
        return Image.fromarray(levels)

    flat = Image.new("RGB", (96, 96), (128, 128, 128))
    assert dists(drawn(0), drawn(1)) < 0.5 * dists(drawn(0), flat)
