"""The app as a subprocess, once a session, and the small pictures that the tests feed it."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
import typer.main
from PIL import Image

import impress_ui.__main__  # noqa: F401  (all commands are there before the first is run)
from impress_ui.ui.environment import collect_less_often

ROOT = Path(__file__).resolve().parent.parent
collect_less_often()
# Few pixels gain nothing from many threads, and one thread makes results equal between processes.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
# Every client of HTTP reads its authorities, a hundred of them by default; here nobody speaks TLS.
os.environ["SSL_CERT_FILE"] = str(ROOT / "tests/data/authority.pem")
# Who leaves is noticed at a beat, of which Gradio has one in fifteen seconds.
os.environ["GRADIO_HEARTBEAT_INTERVAL"] = "1"
# A gate must not depend on luck; elsewhere hypothesis goes on searching.
hypothesis.settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("gate")
# Hundreds of commands run in the tests' process, where a program runs one: theirs is not built anew for each.
typer.main.get_command = functools.cache(typer.main.get_command)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests are dealt to the workers, at the beginning of each one's share: what is left at the end is short.

    A journey in the browser waits half of its time, in which others compute. The other files that ask for an app stay
    whole: some of them begin one of their own.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long: dict[str, list[pytest.Item]] = {}
    short: list[pytest.Item] = []
    for item in items:
        kind = item.path.relative_to(ROOT / "tests").parts[0]
        name = item.nodeid if kind == "browser" else str(item.path)
        (short if kind == "unit" else long.setdefault(name, [])).append(item)
    groups, share = list(long.values()), -(-len(items) // workers)
    dealt: list[pytest.Item] = []
    for worker in range(workers):
        for group in groups[worker::workers]:
            dealt += group
        rest = max(0, (worker + 1) * share - len(dealt)) if worker < workers - 1 else len(short)
        dealt += short[:rest]
        del short[:rest]
    items[:] = dealt


def pytest_collection_finish() -> None:
    """What every test module has imported stays: nobody need look through it for garbage again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 96x64 piece of a test photograph, as PNG."""
    path = tmp_path_factory.mktemp("pictures") / "mountain.png"
    with Image.open(ROOT / "assets/photos/test/mountain1.jpg") as image:
        image.convert("RGB").crop((60, 0, 600, 360)).resize((96, 64), Image.Resampling.LANCZOS).save(path)
    return path


@pytest.fixture
def quick() -> dict[str, dict[str, int | bool]]:
    """Settings with which a whole run takes a second; what a protection outlives is not looked at, which takes two."""
    return {"run": {"check": False}, "protect": {"steps": 8, "step_size": 8}, "purify": {"steps": 6}}


@contextmanager
def running_app(
    folder: Path, python: str = sys.executable, cwd: Path = ROOT, command: Sequence[str] = ("app.py",), **extra: str
) -> Iterator[str]:
    """The address of an app of its own; its log, which is printed when it does not start, is ``folder / "log"``.

    Args:
        command: what Python runs; a port is added to one that is not app.py.
        extra: environment variables; without GRADIO_SERVER_NAME it listens where its own settings say.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "cache"),
        "NO_PROXY": "127.0.0.1,localhost",
        **extra,
    }
    log = (folder / "log").open("w+")
    told = [] if command == ("app.py",) else ["--port", str(port)]
    process = subprocess.Popen(
        [python, *command, *told], cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_until_ready(url, process, folder / "log")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()
        shutil.rmtree(folder / "cache", ignore_errors=True)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running app."""
    with running_app(tmp_path_factory.mktemp("app"), GRADIO_SERVER_NAME="127.0.0.1") as url:
        yield url


@pytest.fixture(scope="session")
def app_log(app_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's output so far."""
    return next(path for path in tmp_path_factory.getbasetemp().glob("app*/log"))


def _wait_until_ready(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=20):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log.read_text()[-3000:]}")
