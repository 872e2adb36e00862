"""The endpoints, called as a program calls them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from impress_ui.jobs import workflow
from impress_ui.methods.optimise import run_to_end
from impress_ui.pictures.images import open_picture, read_metadata, to_images
from impress_ui.settings import JobSettings

LONG = {"run": {"check": False}, "protect": {"steps": 2000}, "purify": {"steps": 5000, "patience": 0}}


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_endpoints_are_named_and_typed(client: Client) -> None:
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    sampling = {"/edit", "/generate", "/stress", "/explore", "/style", "/settings"}
    assert set(endpoints) == {"/protect", "/universal", "/purify", "/reconstruct", "/measure", "/stop", *sampling}
    names = [parameter["parameter_name"] for parameter in endpoints["/edit"]["parameters"]]
    assert names == ["image", "settings", "protected", "purified", "mask"]
    names = [parameter["parameter_name"] for parameter in endpoints["/protect"]["parameters"]]
    assert names == ["image", "settings", "mask", "target", "universal"]
    assert [parameter["parameter_has_default"] for parameter in endpoints["/protect"]["parameters"]] == [
        False, True, True, True, True,
    ]  # fmt: skip


def test_protect_streams_and_gives_the_core_s_pixels(client: Client, photo: Path, quick: dict) -> None:
    job = client.submit(handle_file(photo), quick, api_name="/protect")
    path, report = job.result(timeout=300)
    first = job.outputs()[0][1]
    assert first["phase"] == "Protecting" and first["step"] == 0 and first["losses"]["latent distance"] > 0
    assert report["losses"]["latent distance"][-1] < report["losses"]["latent distance"][0]
    assert report["settings"]["protect"]["steps"] == 8 and report["stopped"] is False

    torch.set_num_threads(1)
    picture, settings = open_picture(photo).image, JobSettings.model_validate(quick)
    own = to_images(run_to_end(workflow.protect_picture(picture, settings)).result)[0]
    assert np.array_equal(pixels(path), np.asarray(own))
    change = np.abs(pixels(path).astype(int) - np.asarray(picture)).max()
    assert 0 < change <= 16
    assert read_metadata(path)["settings"] == report["settings"]


@pytest.mark.parametrize("way", ["views", "tiles"])
def test_a_picture_is_protected_and_purified_at_its_own_size(
    client: Client, photo: Path, quick: dict, way: str
) -> None:
    settings = quick | {"run": {"size": 64, "whole": way}}
    protected, report = client.predict(handle_file(photo), settings, api_name="/protect")
    change = np.abs(pixels(protected).astype(int) - pixels(photo)).max()
    assert pixels(protected).shape == (64, 96, 3) and 0 < change <= 16
    assert report["measures"]["whole"] == {"width": 96, "height": 64, "linf": float(change)}
    assert report["check"]["sentence"] and report["check"]["after"]["jpeg 75"] > 0
    purified, _ = client.predict(handle_file(protected), settings, api_name="/purify")
    assert pixels(purified).shape == (64, 96, 3) and not np.array_equal(pixels(purified), pixels(protected))


def test_a_protected_file_survives_upload_and_purifies_to_the_core_s_pixels(
    client: Client, photo: Path, quick: dict
) -> None:
    protected, _ = client.predict(handle_file(photo), quick, api_name="/protect")
    # A budget of 0 changes nothing, so that what comes back is what arrived.
    unchanged = {"protect": {"budget": 0, "steps": 1}}
    again, _ = client.predict(handle_file(protected), unchanged, api_name="/protect")
    assert np.array_equal(pixels(again), pixels(protected))

    purified, report = client.predict(handle_file(protected), quick, api_name="/purify")
    torch.set_num_threads(1)
    steps = workflow.purify_picture(open_picture(protected).image, JobSettings.model_validate(quick))
    assert np.array_equal(pixels(purified), np.asarray(to_images(run_to_end(steps).result)[0]))
    assert report["losses"]["total"][-1] < report["losses"]["total"][0]
    assert not np.array_equal(pixels(purified), pixels(protected))


def test_mask_keeps_the_rest(client: Client, photo: Path, quick: dict, tmp_path: Path) -> None:
    mask = Image.new("L", (96, 64), 0)
    mask.paste(255, (0, 0, 48, 64))
    mask.save(tmp_path / "mask.png")
    path, _ = client.predict(handle_file(photo), quick, handle_file(tmp_path / "mask.png"), api_name="/protect")
    changed = pixels(path) != pixels(photo)
    assert changed[:, :48].any() and not changed[:, 48:].any()


def test_reconstruct_and_measure(client: Client, photo: Path) -> None:
    path, report = client.predict(handle_file(photo), api_name="/reconstruct")
    own = workflow.reconstruct(open_picture(photo).image, JobSettings())
    assert np.abs(pixels(path).astype(int) - np.asarray(own)).max() <= 1
    measures = client.predict(handle_file(photo), handle_file(path), api_name="/measure")
    assert measures["ssim"] == pytest.approx(report["measures"]["against_reconstruction"]["ssim"], abs=1e-6)
    assert measures["round_trip_error"]["image"] == pytest.approx(report["measures"]["round_trip_error"], abs=1e-6)
    assert measures["budget_found"]["image"] == pytest.approx(report["measures"]["budget_found"], abs=1e-3)


def test_controls_run_without_losses(client: Client, photo: Path) -> None:
    path, report = client.predict(handle_file(photo), {"purify": {"method": "jpeg"}}, api_name="/purify")
    assert report["losses"] == {} and not np.array_equal(pixels(path), pixels(photo))


def test_stop_keeps_the_partial_result(client: Client, photo: Path) -> None:
    job = client.submit(handle_file(photo), LONG, api_name="/protect")
    _wait_for_step(job, 3)
    assert client.predict(api_name="/stop") == {"stopping": True}
    path, report = job.result(timeout=300)
    assert report["stopped"] is True and 3 <= report["steps_done"] < 2000
    assert (pixels(path) != pixels(photo)).any()


def test_cancel_frees_the_device(client: Client, photo: Path) -> None:
    job = client.submit(handle_file(photo), LONG, api_name="/purify")
    _wait_for_step(job, 1)
    job.cancel()
    began = time.monotonic()
    client.predict(handle_file(photo), {"purify": {"method": "jpeg"}}, api_name="/purify")
    assert time.monotonic() - began < 20


def test_a_waiting_job_says_so_and_can_be_stopped(app_url: str, client: Client, photo: Path, quick: dict) -> None:
    running = client.submit(handle_file(photo), LONG, api_name="/protect")
    _wait_for_step(running, 1)
    other = Client(app_url, verbose=False)
    waiting = other.submit(handle_file(photo), quick, api_name="/protect")
    _wait_until(lambda: any(report.get("phase") == "Waiting" for _, report in waiting.outputs()))
    other.predict(api_name="/stop")
    with pytest.raises(AppError, match="stopped before it began"):
        waiting.result(timeout=300)
    client.predict(api_name="/stop")
    assert running.result(timeout=300)[1]["stopped"] is True


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"protect": {"budget": 900}}, "budget"),
        ({"purify": {"alpha": "much"}}, "alpha"),
        ({"purify": {"alhpa": 1}}, "no setting named purify.alhpa"),
        ({"run": {"checkpoint": "no-such-folder"}}, "no checkpoint no-such-folder"),
        ([1, 2], "must be an object"),
        ({"protect": {"target": "image"}}, "needs a target picture"),
    ],
)
def test_bad_settings_get_a_sentence(client: Client, photo: Path, settings: object, sentence: str) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(photo), settings, api_name="/protect")
    assert sentence in str(caught.value) and "Traceback" not in str(caught.value)


def test_not_a_number_gets_a_sentence(client: Client, photo: Path) -> None:
    with pytest.raises(AppError, match=r"learning_rate.*finite"):
        client.predict(handle_file(photo), {"purify": {"learning_rate": "NaN"}}, api_name="/purify")


def _text(path: Path) -> None:
    path.write_text("I am no picture.")


def _truncated(path: Path) -> None:
    with Image.open(Path(__file__).parents[2] / "assets/photos/test/mountain1.jpg") as image:
        image.save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:4000])


def _animated(path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("name", "write", "sentence"),
    [
        ("text.png", _text, "not a picture that can be read"),
        ("cut.jpg", _truncated, "damaged or cut short"),
        ("dot.png", lambda path: Image.new("RGB", (1, 1)).save(path), "at least 32 pixels"),
        ("moving.gif", _animated, "animated"),
        ("bomb.png", lambda path: Image.new("1", (20000, 10000)).save(path), "megapixels"),
    ],
)
def test_bad_files_get_a_sentence(client: Client, tmp_path: Path, name: str, write, sentence: str) -> None:
    write(tmp_path / name)
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(tmp_path / name), api_name="/reconstruct")
    assert sentence in str(caught.value) and "Traceback" not in str(caught.value)


def test_files_of_the_server_cannot_be_named(app_url: str) -> None:
    inside = Path(__file__).parents[2] / "assets/photos/test/snow1.jpg"
    assert (
        call(app_url, "reconstruct", [{"path": str(inside), "meta": {"_type": "gradio.FileData"}}, None])[0] == "error"
    )


def test_a_raw_nan_gets_a_sentence(app_url: str) -> None:
    event, data = call(app_url, "measure", [None, None, {"purify": {"alpha": float("nan")}}])
    assert event == "error" and "alpha" in data and "finite" in data


def call(app_url: str, endpoint: str, data: list) -> tuple[str, str]:
    """The last event and its data of a call over plain HTTP, without what the client checks first."""
    url = f"{app_url}gradio_api/call/{endpoint}"
    headers = {"Content-Type": "application/json"}
    started = httpx.post(url, content=json.dumps({"data": data}), headers=headers)
    lines = httpx.get(f"{url}/{started.json()['event_id']}", timeout=180).text.splitlines()
    events = [line.partition(": ")[2] for line in lines if line.startswith("event:")]
    datas = [line.partition(": ")[2] for line in lines if line.startswith("data:")]
    return events[-1], datas[-1]


def test_the_log_has_no_traceback(app_log: Path) -> None:
    assert "A job failed" not in app_log.read_text()


def _wait_for_step(job, step: int) -> None:
    _wait_until(lambda: any(report.get("step", -1) >= step for _, report in job.outputs()))


def _wait_until(condition, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
