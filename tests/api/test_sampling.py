"""The endpoints that run the sampler: /edit and /generate."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from impress_ui.jobs import workflow
from impress_ui.pictures.images import open_picture, read_metadata
from impress_ui.settings import JobSettings

QUICK = {"edit": {"prompt": "a mosaic of the sea", "sampling_steps": 5, "strength": 0.6}}
INPAINT = {"edit": {"mode": "inpaint", "sampling_steps": 4}}
LONG = {"edit": {"sampling_steps": 250, "strength": 1}, "generate": {"sampling_steps": 250}}
LONG_PROMPT = "a photograph of a mountain beside a lake " * 8


@pytest.fixture
def darker(photo: Path, tmp_path: Path) -> Path:
    """Stands in for a protected picture: of the same size, and a little different."""
    path = tmp_path / "darker.png"
    with Image.open(photo) as image:
        image.point(lambda value: value * 0.8).save(path)
    return path


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A mask of the photo's shape, its left half white."""
    mask = Image.new("L", (96, 64), 0)
    mask.paste(255, (0, 0, 48, 64))
    mask.save(tmp_path / "half.png")
    return tmp_path / "half.png"


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_three_edits_in_order_with_the_core_s_pixels(client: Client, photo: Path, darker: Path) -> None:
    # The original comes again as the purified picture: the same picture and noise must give the same edit.
    job = client.submit(handle_file(photo), QUICK, handle_file(darker), handle_file(photo), api_name="/edit")
    files, report = job.result(timeout=300)
    first = job.outputs()[0][1]
    assert first["phase"] == "Editing" and first["step"] == 1 and first["steps"] == 3
    assert report["pictures"] == ["original", "protected", "purified"] and report["stopped"] is False
    original, protected, purified = (pixels(path) for path in files)
    assert np.array_equal(original, purified) and not np.array_equal(original, protected)
    assert report["measures"]["original"] is None
    assert report["measures"]["purified"]["ssim"] == 1 and report["measures"]["protected"]["ssim"] < 1
    assert {"ssim", "psnr", "vif", "lpips"} <= set(report["measures"]["protected"])
    assert "100% of the gap is closed" in report["verdict"]

    torch.set_num_threads(1)
    images = [open_picture(path).image for path in (photo, darker, photo)]
    *_, last = workflow.edit_pictures(images, JobSettings.model_validate(QUICK))
    assert np.array_equal(original, np.asarray(last.results[0]))
    assert np.array_equal(protected, np.asarray(last.results[1]))
    metadata = read_metadata(files[1])
    assert metadata["kind"] == "edit" and metadata["picture"] == "protected"
    assert metadata["settings"] == report["settings"]
    assert metadata["against_clean_edit"] == report["measures"]["protected"]


def test_inpainting_keeps_what_lies_outside_the_mask(client: Client, photo: Path, half: Path) -> None:
    files, report = client.predict(handle_file(photo), INPAINT, mask=handle_file(half), api_name="/edit")
    changed = pixels(files[0]) != pixels(photo)
    assert changed[:, :48].any() and not changed[:, 48:].any()
    assert "original alone" in report["verdict"] and "Outside the mask" not in report["verdict"]


def test_generated_pictures_come_again_from_their_own_file(client: Client) -> None:
    settings = {"run": {"seed": 7}, "generate": {"count": 2, "sampling_steps": 3, "width": 64, "height": 128}}
    files, report = client.predict(settings, api_name="/generate")
    assert report["seeds"] == [7, 8] and len(files) == 2
    first, second = (pixels(path) for path in files)
    assert first.shape == (128, 64, 3) and not np.array_equal(first, second)
    metadata = read_metadata(files[1])
    assert metadata["kind"] == "generated" and metadata["settings"]["run"]["seed"] == 8
    again, _ = client.predict(metadata["settings"], api_name="/generate")
    assert np.abs(pixels(again[0]).astype(int) - second).max() <= 1


@pytest.mark.parametrize("endpoint", ["/edit", "/generate"])
def test_stop_keeps_the_partial_results(client: Client, photo: Path, endpoint: str) -> None:
    arguments = (handle_file(photo), LONG) if endpoint == "/edit" else (LONG,)
    job = client.submit(*arguments, api_name=endpoint)
    _wait_for_step(job, 2)
    assert client.predict(api_name="/stop") == {"stopping": True}
    files, report = job.result(timeout=300)
    assert report["stopped"] is True and 2 <= report["steps_done"] < 250
    assert len(files) == (1 if endpoint == "/edit" else 4)


def test_cancel_frees_the_device(client: Client, photo: Path) -> None:
    job = client.submit(handle_file(photo), LONG, api_name="/edit")
    _wait_for_step(job, 1)
    job.cancel()
    began = time.monotonic()
    client.predict(handle_file(photo), QUICK, api_name="/edit")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("settings", "mask", "sentence"),
    [
        ({"edit": {"prompt": LONG_PROMPT}}, None, "prompt is too long"),
        ({"edit": {"negative_prompt": LONG_PROMPT}}, None, "prompt is too long"),
        ({"edit": {"strength": 0.05, "sampling_steps": 4}}, None, "leaves no sampling step"),
        ({"edit": {"strength": 2}}, None, "edit.strength"),
        (INPAINT, None, "needs a mask"),
        (INPAINT, Image.new("L", (96, 64), 0), "mask is empty"),
        (INPAINT, Image.new("L", (64, 64), 255), "does not fit"),
    ],
)
def test_mistakes_get_a_sentence(
    client: Client, photo: Path, tmp_path: Path, settings: dict, mask: Image.Image | None, sentence: str
) -> None:
    path = tmp_path / "mask.png"
    if mask is not None:
        mask.save(path)
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(photo), settings, mask=mask and handle_file(path), api_name="/edit")
    assert sentence in str(caught.value) and "Traceback" not in str(caught.value)


def test_pictures_of_two_sizes_get_a_sentence(client: Client, photo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "square.png")
    with pytest.raises(AppError, match=r"protected picture is 64x64 .* use pictures of one size"):
        client.predict(handle_file(photo), QUICK, handle_file(tmp_path / "square.png"), api_name="/edit")


def test_no_picture_gets_a_sentence(client: Client) -> None:
    with pytest.raises(AppError, match="no picture yet"):
        client.predict(None, QUICK, api_name="/edit")


def test_generate_s_mistakes_get_a_sentence(client: Client) -> None:
    for settings, sentence in (
        ({"generate": {"prompt": LONG_PROMPT}}, "prompt is too long"),
        ({"run": {"seed": 2**31 - 1}}, "seed is too high"),
        ({"generate": {"width": 100}}, "width"),
    ):
        with pytest.raises(AppError, match=sentence):
            client.predict(settings, api_name="/generate")


def test_the_log_has_no_traceback(app_log: Path) -> None:
    assert "A job failed" not in app_log.read_text()


def _wait_for_step(job, step: int) -> None:
    deadline = time.monotonic() + 60
    while not any(report.get("step", 0) >= step for _, report in job.outputs()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
