"""The part of the hub's protocol that fetching a checkpoint needs, on this machine: a folder as a repository."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

COMMIT = "c" * 40
PIECE = 12288  # bytes at once


@contextmanager
def little_hub(
    monkeypatch: pytest.MonkeyPatch, cache: Path, folder: Path, repo: str, pause: float = 0.0
) -> Iterator[list[str]]:
    """Serve the folder as ``repo`` and point the hub's client to it, with a cache of its own; gives what was fetched.

    Args:
        pause: seconds between two pieces of a file.
    """
    fetched: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = self.path.split("?")[0]
            files = [file for file in folder.rglob("*") if file.is_file()]
            named = {file.relative_to(folder).as_posix(): file for file in files}
            resolved = path.removeprefix(f"/{repo}/resolve/{COMMIT}/")
            if path.startswith(f"/api/models/{repo}/tree/"):
                self.give(json.dumps([entry_of(name, file) for name, file in named.items()]).encode(), body)
            elif path.startswith(f"/api/models/{repo}"):
                siblings = [{"rfilename": name} for name in named]
                self.give(json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings}).encode(), body)
            elif resolved in named:
                if body:
                    fetched.append(resolved)
                self.give(named[resolved].read_bytes(), body, pause)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def give(self, content: bytes, body: bool, pause: float = 0.0) -> None:
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for start in range(0, len(content) if body else 0, PIECE):
                self.wfile.write(content[start : start + PIECE])
                time.sleep(pause)

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # the client went away in the middle
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    constants = huggingface_hub.constants
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", PIECE)
    try:
        yield fetched
    finally:
        server.shutdown()
        server.server_close()


def entry_of(name: str, file: Path) -> dict[str, Any]:
    """A file as the hub lists it."""
    content = file.read_bytes()
    return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
