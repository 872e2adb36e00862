"""What a public page does not offer, and what the program never does."""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from impress_ui.errors import UserError
from impress_ui.paths import ROOT
from impress_ui.settings import JobSettings
from impress_ui.ui import app, public
from impress_ui.ui.public import Host, address_of

SOURCES = sorted((ROOT / "impress_ui").rglob("*.py"))
HUB_ID = "stable-diffusion-v1-5/stable-diffusion-v1-5"


# --- how it is launched ------------------------------------------------------------------------------------


class Launched(Exception):
    """The arguments that ``gr.Blocks.launch`` got."""


def launched(monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    class Demo:
        blocks: ClassVar = {}

        def launch(self, **arguments: Any) -> None:
            raise Launched(arguments)

    monkeypatch.setattr(app, "sweep", lambda: None)
    with pytest.raises(Launched) as caught:
        app.launch(Demo(), **options)  # type: ignore[arg-type]
    return caught.value.args[0]


def test_the_defaults_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    monkeypatch.setattr(app, "HOST", Host("127.0.0.1"))
    given = launched(monkeypatch)
    assert given["server_name"] == "127.0.0.1" and given["share"] is False
    assert given["show_error"] is False and given["enable_monitoring"] is False
    assert given["max_file_size"] == "40mb"
    assert not given.get("allowed_paths") and given.get("strict_cors", True)
    assert launched(monkeypatch, host="0.0.0.0")["server_name"] == "0.0.0.0"
    assert app.HOST.public


def test_it_listens_elsewhere_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    assert address_of(None) == "127.0.0.1" and address_of("192.168.0.2") == "192.168.0.2"
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert address_of(None) == "0.0.0.0"
    monkeypatch.delenv("GRADIO_SERVER_NAME")
    monkeypatch.setattr(public, "ON_SPACES", True)
    assert address_of(None) == "0.0.0.0" and Host("127.0.0.1").public


@pytest.mark.parametrize("checkpoint", ["/etc", "../somewhere", HUB_ID, "somebody/else"])
def test_a_public_page_s_visitors_choose_from_its_list(checkpoint: str) -> None:
    job, host = JobSettings.model_validate({"run": {"checkpoint": checkpoint}}), Host("0.0.0.0")
    with pytest.raises(UserError, match=r"one of its list \(embedded\)"):
        host.check(job)
    assert host.check(JobSettings()) == JobSettings()
    assert Host("127.0.0.1").check(job) is job
    host.listens("0.0.0.0", [HUB_ID])
    mirror = JobSettings.model_validate({"run": {"checkpoint": "sd-legacy/stable-diffusion-v1-5"}})
    assert host.check(mirror) is mirror
    if checkpoint != HUB_ID:
        with pytest.raises(UserError, match=HUB_ID):
            host.check(job)


# --- what it serves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", str(ROOT / "app.py"), "app.py", "../app.py", "..%2f..%2fetc/passwd", "%2fetc%2fpasswd",
        "....//....//etc/passwd", str(ROOT / "assets/micro-ldm/model_index.json"), "/proc/self/environ", "C:\\boot.ini",
    ],
)  # fmt: skip
def test_only_the_cache_is_served(app_url: str, path: str) -> None:
    for route in ("gradio_api/file=", "file=", "gradio_api/file/", "static/", "assets/"):
        answer = httpx.get(f"{app_url}{route}{path}")
        # What names no file of the page's own is refused, or is not there.
        assert answer.status_code in (400, 403, 404, 405), (route, answer.status_code)
        assert "root:" not in answer.text and "launch(demo)" not in answer.text


def test_monitoring_is_off_and_details_stay_inside(app_url: str) -> None:
    assert httpx.get(f"{app_url}gradio_api/monitoring").status_code in (403, 404)
    assert httpx.get(f"{app_url}monitoring").status_code in (403, 404)
    answer = httpx.post(f"{app_url}gradio_api/call/protect", json={"data": ["no file", {"x": object.__name__}]})
    told = httpx.get(f"{app_url}gradio_api/call/protect/{answer.json()['event_id']}", timeout=180).text
    assert "error" in told and str(ROOT) not in told and "Traceback" not in told


def test_uploads_keep_to_the_cache_and_to_their_size(app_url: str) -> None:
    hostile = "../../../evil<img src=x>.png"
    (kept,) = httpx.post(f"{app_url}gradio_api/upload", files={"files": (hostile, b"x")}).json()
    assert ".." not in kept and "cache" in Path(kept).parts and not (ROOT / "evil.png").exists()
    large = httpx.post(f"{app_url}gradio_api/upload", files={"files": ("big.png", bytes(41 << 20))}, timeout=60)
    assert large.status_code == 413


def test_files_of_others_cannot_be_named(app_url: str, photo: Path, tmp_path: Path) -> None:
    client = Client(app_url, verbose=False, download_files=tmp_path)
    (kept,) = httpx.post(f"{app_url}gradio_api/upload", files={"files": ("a.png", photo.read_bytes())}).json()
    cache = Path(kept).parent.parent
    for path in (f"{cache}/../../../../../../../../etc/passwd", "/etc/passwd", f"{cache}/../log", str(ROOT / "app.py")):
        body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, None]}
        started = httpx.post(f"{app_url}gradio_api/call/reconstruct", json=body).json()
        told = httpx.get(f"{app_url}gradio_api/call/reconstruct/{started['event_id']}", timeout=180).text
        assert told.startswith("event: error"), told[:300]
    with pytest.raises(AppError, match="no checkpoint"):
        client.predict(handle_file(photo), {"run": {"checkpoint": "../../etc\0"}}, api_name="/reconstruct")


# --- what it loads -----------------------------------------------------------------------------------------


def dangers_of(node: ast.AST) -> Iterator[str]:
    """What a node imports or calls that could run what it loads."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
        yield from {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"} & set(names)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called in ("eval", "exec", "torch.load", "np.load", "numpy.load", "os.system", "yaml.load"):
            yield called
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if keywords.get("allow_pickle") == "True" or keywords.get("trust_remote_code") == "True":
            yield f"{called} of foreign code"
        if called.endswith((".from_pretrained", ".load_lora_adapter")):
            safe = keywords.get("use_safetensors") == "True" or "**arguments" in ast.unparse(node)
            if not safe:
                yield f"{called} could load a pickle"


def test_nothing_that_is_loaded_can_run() -> None:
    found = [
        (str(path.relative_to(ROOT)), danger)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        for danger in dangers_of(node)
    ]
    assert len(SOURCES) > 100 and not found
    (probe,) = ast.parse("torch.load(x)").body
    assert list(dangers_of(probe.value)) == ["torch.load"]  # the lint itself sees what it should


@pytest.fixture(scope="module")
def denied(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(address, file of what was tried) of an app without a network."""
    folder = tmp_path_factory.mktemp("denied")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "GRADIO_"))}
    environment |= {"GRADIO_TEMP_DIR": str(folder / "cache"), "HF_HOME": str(folder / "hub")}
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.denied", str(port), str(folder / "tried")],
        cwd=ROOT, env=environment, stdout=log, stderr=log,
    )  # fmt: skip
    url, deadline = f"http://127.0.0.1:{port}/", time.monotonic() + 240
    while "The page is at" not in (folder / "log").read_text():
        assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-3000:]
        time.sleep(0.3)
    yield url, folder / "tried"
    process.kill()
    process.wait()


@pytest.mark.slow
def test_nothing_leaves_the_machine_and_nothing_is_unpickled(
    denied: tuple[str, Path], photo: Path, quick: dict, tmp_path: Path
) -> None:
    url, tried = denied
    client, file = Client(url, verbose=False, download_files=tmp_path), handle_file(photo)
    few = {**quick, "edit": {"sampling_steps": 4}, "generate": {"sampling_steps": 2, "count": 1, "width": 64}}
    few["stress"] = {"purifiers": ["jpeg 40", "fast steps=2"]}
    protected, _ = client.predict(file, few, api_name="/protect")
    for endpoint in ("/purify", "/reconstruct", "/edit", "/stress"):
        client.predict(handle_file(protected), few, api_name=endpoint)
    client.predict(file, handle_file(protected), few, api_name="/measure")
    client.predict(few, api_name="/generate")
    glazed = {"protect": {"method": "glaze", "steps": 2}, "run": {"size": 64}}
    client.predict(file, glazed, api_name="/protect")
    assert not tried.exists(), tried.read_text()


@pytest.mark.slow
def test_a_hub_checkpoint_is_what_asks_for_the_network(denied: tuple[str, Path], photo: Path) -> None:
    url, tried = denied
    with pytest.raises(AppError, match="could not be fetched from the hub: this machine may have no network"):
        Client(url, verbose=False).predict(handle_file(photo), {"run": {"checkpoint": HUB_ID}}, api_name="/reconstruct")
    assert re.search(r"(look up|connect) .*", tried.read_text())


def test_the_config_tells_no_path_of_the_machine(app_url: str) -> None:
    config = json.dumps(httpx.get(f"{app_url}config").json())
    assert str(Path.home()) not in config.replace(str(ROOT), "") and "/etc/" not in config
