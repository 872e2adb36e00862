"""The app as a Hugging Face Space starts it: from a cold start, and from nothing but the requirements."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio
import httpx
import pytest
import yaml
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from huggingface_hub import SpaceCard
from jsonschema import Draft202012Validator
from packaging.version import Version

from impress_ui.pictures.images import read_metadata
from tests.conftest import ROOT, running_app

HUB_ID = "stable-diffusion-v1-5/stable-diffusion-v1-5"
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


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """(address, log) of the app as a Space starts it; with --mcp, so that the agents' test needs no other."""
    folder = tmp_path_factory.mktemp("space")
    environment = {"SYSTEM": "spaces", "SPACE_ID": "somebody/impress", "HF_HUB_OFFLINE": "1"}
    environment |= {"IMPRESS_CHECKPOINTS": f"{HUB_ID}, somebody/fine-tune"}
    with running_app(folder, command=("app.py", "--mcp"), **environment) as url:
        yield url, folder / "log"


def test_a_cold_start_as_a_space(space: tuple[str, Path], photo: Path, tmp_path: Path) -> None:
    url, log = space
    client = Client(url, verbose=False, download_files=tmp_path / "files")
    quick = {"protect": {"steps": 2}, "purify": {"method": "jpeg"}}
    protected, report = client.predict(handle_file(photo), quick, api_name="/protect")
    assert read_metadata(protected)["settings"] == report["settings"]
    elsewhere = {"run": {"checkpoint": "/"}}
    with pytest.raises(AppError, match="one of its list"):
        client.predict(handle_file(photo), elsewhere, api_name="/protect")
    with pytest.raises(AppError, match="one of its list"):
        client.predict("?run.checkpoint=/etc", api_name="/settings")
    assert "A job failed" not in log.read_text()


def test_a_space_s_owner_offers_checkpoints_in_a_list(space: tuple[str, Path]) -> None:
    shown = [each["props"] | {"type": each["type"]} for each in httpx.get(f"{space[0]}config").json()["components"]]
    (checkpoint,) = (each for each in shown if str(each.get("label")).startswith("Checkpoint") and "choices" in each)
    offered = ["embedded", HUB_ID, "somebody/fine-tune"]
    assert checkpoint["type"] == "dropdown" and checkpoint["choices"] == [[name, name] for name in offered]
    (lora,) = (each for each in shown if str(each.get("label")).startswith("LoRA") and each["type"] == "textbox")
    assert lora["interactive"] is False


def test_an_agent_protects_a_picture_and_learns_the_settings(space: tuple[str, Path], photo: Path) -> None:
    """The API as an agent has it: tools of the Model Context Protocol."""
    pytest.importorskip("mcp")
    with ThreadPoolExecutor(1) as apart:  # where browser tests ran before, this thread has a loop already
        used = apart.submit(asyncio.run, used_by_an_agent(space[0], photo))
        tools, settings, protected, refused = used.result(timeout=240)
    endpoints = Client(space[0], verbose=False).view_api(print_info=False, return_format="dict")["named_endpoints"]
    assert len(tools) == len(endpoints)
    for tool in tools.values():
        Draft202012Validator.check_schema(tool.inputSchema)
        assert tool.description and all(each["description"] for each in tool.inputSchema["properties"].values())
    assert not settings.isError and "'steps': 20" in settings.content[0].text
    assert not protected.isError, protected.content
    report = json.dumps([part.model_dump() for part in protected.content])
    assert "seed" in report and "linf" in report
    assert refused.isError and "budget" in refused.content[0].text.lower()


async def used_by_an_agent(url: str, photo: Path) -> tuple[dict[str, Any], Any, Any, Any]:
    """The tools by name, and what three calls of them gave; a Space's tools begin with its name."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(f"{url}gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        settings = await session.call_tool("impress_settings_of", {"source": "quick"})
        data = base64.b64encode(photo.read_bytes()).decode()  # an address of this machine is refused
        asked = {"image": f"data:image/png;base64,{data}", "settings": {"protect": {"steps": 2, "budget": 8}}}
        protected = await session.call_tool("impress_protect", asked)
        refused = await session.call_tool("impress_protect", {**asked, "settings": {"protect": {"budget": 500}}})
        return tools, settings, protected, refused


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_from_nothing_but_the_requirements(photo: Path, tmp_path: Path) -> None:
    """Minutes and gigabytes: a fresh environment, the tracked files alone, and one run."""
    checkout = tmp_path / "space"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    python = python if python.exists() else python.with_name("python")
    abroad = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}  # a registry speaks TLS
    install = [python, "-m", "pip", "install", "-q", "-r", "requirements.txt"]
    subprocess.run(install, cwd=checkout, env=abroad, check=True)
    with running_app(tmp_path, python=str(python), cwd=checkout, SYSTEM="spaces", PYTHONPATH="") as url:
        client = Client(url, verbose=False, download_files=tmp_path / "files")
        settings = {"protect": {"steps": 2}, "purify": {"steps": 2}}
        protected, _ = client.predict(handle_file(photo), settings, api_name="/protect")
        _, report = client.predict(handle_file(protected), settings, api_name="/purify")
        assert report["measures"]["round_trip_error"] > 0
