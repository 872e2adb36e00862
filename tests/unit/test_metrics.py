from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from impress_ui.errors import UserError
from impress_ui.measures.metrics import Detector, measure, round_trip_error
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import read_metadata, save_png, to_tensor


def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    a = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    b = np.clip(a.astype(int) + random.integers(-12, 13, a.shape), 0, 255).astype(np.uint8)
    return a, b


def ssim_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al.'s formula, window of deviation 1.5 cut at 3.5 deviations, borders left out, channels averaged."""
    values = []
    for channel in range(3):
        a, b = x[..., channel].astype(float), y[..., channel].astype(float)
        blur = lambda z: gaussian_filter(z, 1.5, truncate=3.5)  # noqa: E731
        ma, mb = blur(a), blur(b)
        va, vb, cov = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        s = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
        values.append(s[5:-5, 5:-5].mean())
    return float(np.mean(values))


def test_measures_against_their_formulas() -> None:
    a, b = pair()
    result = measure(Image.fromarray(a), Image.fromarray(b))
    difference = a.astype(float) - b
    assert result.linf == np.abs(difference).max()
    assert result.l2 == pytest.approx(np.linalg.norm(difference))
    assert result.rms == pytest.approx(np.sqrt((difference**2).mean()))
    assert result.psnr == pytest.approx(10 * np.log10(255**2 / (difference**2).mean()))
    assert result.ssim == pytest.approx(ssim_by_hand(a, b), abs=1e-9)


def test_vif_against_an_independent_implementation(photographs: list[Image.Image]) -> None:
    from sewar.full_ref import vifp

    b = np.asarray(photographs[0])
    noisy = b + np.random.default_rng(0).normal(0, 15, b.shape)
    a = np.clip(noisy, 0, 255).astype(np.uint8)
    assert measure(Image.fromarray(a), photographs[0]).vif == pytest.approx(vifp(b, a), rel=1e-3)
    assert measure(photographs[0], photographs[0]).vif == pytest.approx(1, abs=1e-3)
    assert measure(photographs[0].resize((64, 40)), photographs[1].resize((64, 40))).vif is None


def test_identical_pictures() -> None:
    image = Image.fromarray(pair()[0])
    result = measure(image, image)
    assert (result.ssim, result.psnr, result.linf, result.l2) == (1, None, 0, 0)
    assert result.lpips == pytest.approx(0, abs=1e-7)


def test_sizes_must_agree() -> None:
    image = Image.fromarray(pair()[0])
    with pytest.raises(UserError, match="differ in size"):
        measure(image, image.resize((32, 48)))


def test_round_trip_error_by_hand(embedded: Autoencoder, photographs: list[Image.Image]) -> None:
    x = to_tensor(photographs)
    with torch.no_grad():
        v = embedded.module(x).sample.clamp(-1, 1)
    by_hand = ((v - x) ** 2).mean(dim=(1, 2, 3))
    assert torch.allclose(round_trip_error(x, embedded), by_hand, rtol=0.02)


def test_the_verdict_carries_its_rates() -> None:
    detector = Detector(0.02, 0.008, 256, 32, 0.03, {"8": 0.9, "16": 1.0}, {"8": 0.97, "16": 1.0})
    assert detector.looks(0.05) == "looks protected" and detector.looks(0.01) == "looks clean"
    sentence = detector.verdict(0.05)
    for words in ("looks protected", "0.0200", "90% at budget 8", "100% at budget 16", "3% of the clean", "32"):
        assert words in sentence


def test_a_picture_of_one_colour_is_measured_and_saved(tmp_path: Path) -> None:
    """It holds no information that VIF could find, and that is no reason to lose it."""
    black = Image.new("RGB", (64, 64))
    found = measure(black, black).as_dict()
    assert found["vif"] is None and found["ssim"] == 1
    saved = save_png(black, tmp_path / "black.png", {"measures": {"vif": float("nan"), "l2": (1.0, float("inf"))}})
    assert read_metadata(saved)["measures"] == {"vif": None, "l2": [1.0, None]}
