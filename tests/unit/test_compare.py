"""Rows of figures: the pictures of one scene and the controls."""

import numpy as np
import pytest
from PIL import Image

from impress_ui.jobs.compare import compare, setting_of
from impress_ui.jobs.workflow import reconstruct
from impress_ui.settings import CONTROLS, KNOBS, JobSettings, PurifySettings

JOB = JobSettings()


@pytest.fixture(scope="module")
def scene() -> tuple[Image.Image, Image.Image]:
    """A smooth picture and a noisy version of it."""
    ramp = np.linspace(40, 210, 64)
    clean = np.stack([np.add.outer(ramp, ramp) / 2, np.add.outer(ramp[::-1], ramp) / 2, np.full((64, 64), 120)], -1)
    noise = np.random.default_rng(0).integers(-16, 17, clean.shape)
    return Image.fromarray(clean.astype(np.uint8)), Image.fromarray(np.clip(clean + noise, 0, 255).astype(np.uint8))


def test_every_control_stands_beside_the_pictures(scene: tuple[Image.Image, Image.Image]) -> None:
    clean, noisy = scene
    rows = list(compare({"original": clean, "protected": noisy}, JOB, original=clean, controls_on=noisy))
    assert [row.name for row in rows] == ["original", "protected", *CONTROLS]
    assert [row.control for row in rows] == [False, False, *[True] * len(CONTROLS)]
    first, second = rows[:2]
    assert first.measures["latent_distance"] == 0 and first.measures["reconstruction_ssim"] == pytest.approx(1)
    assert second.measures["latent_distance"] > 0
    assert second.measures["against_original"]["linf"] == 16
    own = reconstruct(noisy, JOB)
    assert np.abs(np.asarray(second.reconstruction).astype(int) - np.asarray(own)).max() <= 1


def test_an_unknown_original_leaves_its_figures_out(scene: tuple[Image.Image, Image.Image]) -> None:
    (row,) = compare({"protected": scene[1]}, JOB)
    assert "against_original" not in row.measures and "latent_distance" not in row.measures
    assert row.as_dict()["round_trip_error"] > 0


def test_it_stops_before_a_control(scene: tuple[Image.Image, Image.Image]) -> None:
    rows = list(compare({"protected": scene[1]}, JOB, controls_on=scene[1], should_stop=lambda: True))
    assert [row.name for row in rows] == ["protected"]


def test_every_purifier_has_words_for_its_setting() -> None:
    assert all(setting_of(PurifySettings(method=method)) for method in KNOBS)
    assert setting_of(PurifySettings(method="bilateral", bilateral_space=3)) == "colour 0.05, space 3"
    assert setting_of(PurifySettings(method="chain", chain=("jpeg 40", "fast"))) == "jpeg 40, then fast"
    assert setting_of(PurifySettings(method="jpeg", jpeg_quality=33)) == "quality 33"
    assert setting_of(PurifySettings(steps=7)) == "fast, 7 steps"
