"""The app as a Hugging Face Space starts it: from a cold start, and from nothing but the requirements."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import gradio
import pytest
import yaml
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from huggingface_hub import SpaceCard
from packaging.version import Version

from impress_ui.pictures.images import read_metadata
from tests.conftest import ROOT, running_app

README = (ROOT / "README.md").read_text(encoding="utf-8")
# What the Hub reads of a Space's front matter; it ignores other names, so that a misspelt one goes unnoticed.
KNOWN = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "pinned", "license",
    "short_description", "tags", "models", "datasets", "suggested_hardware", "suggested_storage", "preload_from_hub",
    "startup_duration_timeout", "fullWidth", "header", "thumbnail", "disable_embedding", "custom_headers",
}  # fmt: skip


def test_the_front_matter_fits_the_installed_gradio() -> None:
    front = yaml.safe_load(README.split("---\n")[1])
    assert set(front) <= KNOWN and SpaceCard(README).data.to_dict()["sdk"] == "gradio"
    named, installed = Version(front["sdk_version"]), Version(gradio.__version__)
    assert named.major == installed.major and named <= installed  # what is tested here is no older than the Space's
    assert isinstance(front["sdk_version"], str) and isinstance(front["python_version"], str)  # 3.10 is not 3.1
    assert (ROOT / front["app_file"]).is_file() and "demo" in (ROOT / front["app_file"]).read_text()


def test_requirements_are_ranges_that_a_space_can_meet() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    assert not any("==" in line or "git+" in line or line.startswith("-") for line in lines)
    assert not {"spaces", "huggingface_hub"} & {line.split(">")[0] for line in lines}  # the platform brings its own


def test_a_cold_start_as_a_space(photo: Path, tmp_path: Path) -> None:
    environment = {"SYSTEM": "spaces", "SPACE_ID": "somebody/impress", "HF_HUB_OFFLINE": "1"}
    with running_app(tmp_path, **environment) as url:
        client = Client(url, verbose=False, download_files=tmp_path / "files")
        quick = {"protect": {"steps": 2}, "purify": {"method": "jpeg"}}
        protected, report = client.predict(handle_file(photo), quick, api_name="/protect")
        assert read_metadata(protected)["settings"] == report["settings"]
        elsewhere = {"run": {"checkpoint": "/"}}
        with pytest.raises(AppError, match="one of its list"):
            client.predict(handle_file(photo), elsewhere, api_name="/protect")
        with pytest.raises(AppError, match="one of its list"):
            client.predict("?run.checkpoint=/etc", api_name="/settings")
    assert "A job failed" not in (tmp_path / "log").read_text()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_from_nothing_but_the_requirements(photo: Path, tmp_path: Path) -> None:
    """Minutes and gigabytes: a fresh environment, the tracked files alone, and one run."""
    checkout = tmp_path / "space"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    python = python if python.exists() else python.with_name("python")
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", "requirements.txt"], cwd=checkout, check=True)
    with running_app(tmp_path, python=str(python), cwd=checkout, SYSTEM="spaces", PYTHONPATH="") as url:
        client = Client(url, verbose=False, download_files=tmp_path / "files")
        settings = {"protect": {"steps": 2}, "purify": {"steps": 2}}
        protected, _ = client.predict(handle_file(photo), settings, api_name="/protect")
        _, report = client.predict(handle_file(protected), settings, api_name="/purify")
        assert report["measures"]["round_trip_error"] > 0
