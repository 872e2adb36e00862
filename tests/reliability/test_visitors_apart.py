"""One visitor never stops, sees or keeps another's, and who leaves leaves nothing."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file

from impress_ui.ui import record
from impress_ui.ui.sessions import folder_name, session_of

LONG = {"run": {"check": False}, "protect": {"steps": 2000}}


@pytest.fixture
def client(app_url: str, tmp_path: Path) -> Client:
    return Client(app_url, verbose=False, download_files=tmp_path)


@contextlib.contextmanager
def bare_call(app_url: str, photo: Path) -> Iterator[Any]:
    """A long job of somebody who sends plain HTTP, and the lines that it streams; leaving ends its connection."""
    (kept,) = httpx.post(f"{app_url}gradio_api/upload", files={"files": ("a.png", photo.read_bytes())}).json()
    body = {"data": [{"path": kept, "meta": {"_type": "gradio.FileData"}}, LONG, None, None, None]}
    url = f"{app_url}gradio_api/call/protect"
    event = httpx.post(url, json=body).json()["event_id"]
    with httpx.stream("GET", f"{url}/{event}", timeout=120) as stream:
        yield stream.iter_lines()


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return value


def stop_of_a_bare_call(app_url: str) -> str:
    event = httpx.post(f"{app_url}gradio_api/call/stop", json={"data": []}).json()["event_id"]
    return httpx.get(f"{app_url}gradio_api/call/stop/{event}", timeout=180).text


def test_callers_without_a_session_are_strangers_to_each_other() -> None:
    bare: Any = SimpleNamespace(session_hash=None)
    assert session_of(bare) != session_of(bare)
    assert session_of(SimpleNamespace(session_hash="a")) == "a"  # type: ignore[arg-type]
    names = {folder_name(session) for session in ("ab", "a-b", "../ab", "", "a" * 10_000, "\ud800")}
    assert len(names) == 6 and all(name.isalnum() for name in names)


def test_nobody_stops_another_s_job_and_a_vanished_one_frees_the_device(
    app_url: str, client: Client, photo: Path
) -> None:
    with bare_call(app_url, photo) as lines:
        until(lambda: "step" in next(lines))
        assert '"stopping": false' in stop_of_a_bare_call(app_url).lower()
        assert client.predict(api_name="/stop") == {"stopping": False}
        waiting = client.submit(handle_file(photo), {"purify": {"method": "jpeg"}}, api_name="/purify")
        told = until(lambda: [report for _, report in waiting.outputs() if report.get("phase") == "Waiting"])
        assert told[0]["ahead"] == 1
        assert not waiting.done()
    # The connection is gone, and with it the job.
    assert waiting.result(timeout=300)[1]["stopped"] is False


def test_who_leaves_leaves_no_files(app_url: str, app_log: Path, photo: Path, tmp_path: Path) -> None:
    def folders() -> set[Path]:
        return set((app_log.parent / "cache" / "impress").glob("*"))

    staying, leaving = (Client(app_url, verbose=False, download_files=tmp_path) for _ in range(2))
    before = folders()
    for who in (staying, leaving):
        who.predict(handle_file(photo), {"purify": {"method": "jpeg"}}, api_name="/purify")
    theirs = folders() - before
    assert {folder.name for folder in theirs} == {folder_name(who.session_hash) for who in (staying, leaving)}
    leaving.close()
    until(lambda: len(folders() & theirs) == 1, 20)
    assert (folders() & theirs).pop().name == folder_name(staying.session_hash)
    staying.close()


def test_files_of_the_forgotten_go_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    old, new, other = record.new_folder("a"), record.new_folder("a"), record.new_folder("b")
    for folder in (old, other):
        os.utime(folder, (0, time.time() - record.KEPT - 10))
    record.sweep()
    assert new.is_dir() and not old.exists() and not other.parent.exists()
    record.forget("a")
    assert not new.parent.exists()
