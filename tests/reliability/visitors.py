"""Visitors of a load test: each has a picture of its own, asks for jobs, and looks whether what it gets is its own."""

from __future__ import annotations

import collections
import contextlib
import json
import random
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, TimeoutError
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

from impress_ui.pictures.images import read_metadata

# The client's own words for a stream that it has cancelled, and for one that ended in the same moment.
CANCELLED = ("Could not find 'data' key", "Did not expect 2 tasks to be done")
REFUSALS = (
    "jobs are waiting already", "jobs here already", "Queue is full", "Max size", "stopped before it began",
)  # fmt: skip
LONGEST = 400  # seconds that one job may take, waiting included, on a machine with other work
PATIENT = {"timeout": LONGEST}
SIDE = 64
FIELD = 4  # squares on a side of a visitor's picture, whose colours are its own


def picture_of(number: int) -> np.ndarray:
    """A picture that no other visitor's resembles: coarse squares of random colours, (SIDE, SIDE, 3)."""
    colours = np.random.default_rng(number).integers(40, 216, (FIELD, FIELD, 3), dtype=np.uint8)
    return np.kron(colours, np.ones((SIDE // FIELD, SIDE // FIELD, 1), np.uint8))


class Figures:
    """What became of the jobs of all visitors."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.ends: collections.Counter[str] = collections.Counter()
        self.kinds: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        self.sessions = 0
        self.deepest = 0
        self.slowest = 0.0

    def add(self, kind: str, end: str, seconds: float = 0.0, failure: str = "", place: int = 0) -> None:
        with self._lock:
            self.kinds[kind] += 1
            self.ends[end] += 1
            self.slowest, self.deepest = max(self.slowest, seconds), max(self.deepest, place)
            if failure:
                self.failures.append(f"{kind}: {failure}")

    def came(self) -> None:
        with self._lock:
            self.sessions += 1


class Visitor:
    """One of ``count`` visitors; ``jobs`` runs until it is time to go.

    Args:
        folder: for its picture and its downloads.
    """

    def __init__(self, url: str, number: int, count: int, folder: Path, figures: Figures) -> None:
        self.url, self.number, self.figures = url, number, figures
        self.random = random.Random(number)
        self.others = np.stack([picture_of(other) for other in range(count)]).astype(float)
        self.folder = folder / f"visitor-{number}"
        self.folder.mkdir()
        self.file = self.folder / f"own-{number}.png"
        Image.fromarray(picture_of(number)).save(self.file)
        self.client: Client | None = None
        self.left = 0

    def jobs(self, until: float) -> None:
        """One job after the other."""
        while time.monotonic() < until:
            kind = self.random.choice(KINDS)
            if self.random.random() < 0.12:
                self.vanish(kind)
                continue
            if self.client is None or self.left == 0:
                self.close()
                self.client, self.left = (
                    Client(self.url, verbose=False, download_files=self.folder, httpx_kwargs=PATIENT),
                    6,
                )
                self.figures.came()
            self.left -= 1
            self.job(kind)
        self.close()

    def close(self) -> None:
        """End the session as a closed page does."""
        if self.client is not None:
            self.client.close()
            self.client = None

    def job(self, kind: str) -> None:
        """One job, at times stopped or cancelled."""
        assert self.client is not None
        turn, began = self.random.random(), time.monotonic()
        steps = 400 if turn < 0.25 else 4  # what is to be stopped must not be over before
        settings = self.settings(steps)
        job = self.client.submit(*arguments(kind, handle_file(str(self.file)), settings), api_name=f"/{kind}")
        try:
            if turn < 0.25:
                self._wait(lambda: job.done() or any("step" in report for _, report in streamed(job)[-1:]))
                if turn < 0.15:
                    self.client.predict(api_name="/stop")
                else:
                    job.cancel()
            result = job.result(timeout=LONGEST)
        except CancelledError:
            return self.figures.add(kind, "cancelled", time.monotonic() - began)
        except TimeoutError:
            return self.figures.add(kind, "hung", failure=f"no end within {LONGEST} s")
        except Exception as error:
            text = " ".join(str(error).split())
            if 0.15 <= turn < 0.25 and any(words in text for words in CANCELLED):
                return self.figures.add(kind, "cancelled", time.monotonic() - began)
            clear = any(words in text for words in REFUSALS)
            return self.figures.add(kind, "refused" if clear else "failed", failure="" if clear else text[:300])
        seconds = time.monotonic() - began
        places = [report["ahead"] for _, report in streamed(job) if "ahead" in report]
        wrong = self.wrong(kind, result, settings)
        stopped = kind != "measure" and result[1].get("stopped", False)
        end = "wrong picture" if wrong else "stopped" if stopped else "result"
        self.figures.add(kind, end, seconds, wrong, max(places, default=0))

    def settings(self, steps: int) -> dict[str, Any]:
        """Settings that name the visitor: its number is the seed."""
        words = f"a photograph of a mountain {self.number}"
        return {
            "run": {"seed": self.number},
            "protect": {"steps": steps, "budget": 8},
            "purify": {"steps": steps, "patience": 0},
            "edit": {"prompt": words, "strength": 0.1, "sampling_steps": 20 if steps < 100 else 200},
            "generate": {
                "prompt": words, "count": 1, "width": 64, "height": 64, "sampling_steps": 4 if steps < 100 else 90,
            },
        }  # fmt: skip

    def wrong(self, kind: str, result: Any, settings: dict[str, Any]) -> str:
        """What is not the visitor's own about a result; nothing where all is."""
        if kind == "measure":
            return "" if result["ssim"] > 0.999 else f"measures of another picture: {result}"
        made, report = result
        if report["settings"]["run"]["seed"] != self.number:
            return f"a report of visitor {report['settings']['run']['seed']}"
        for path in made if isinstance(made, list) else [made]:
            metadata = read_metadata(path)
            if metadata is None or metadata["settings"]["run"]["seed"] != self.number:
                return "a picture with somebody else's settings"
            if kind == "generate":
                same = metadata["settings"]["generate"]["prompt"] == settings["generate"]["prompt"]
                if not same:
                    return "a picture of somebody else's prompt"
                continue
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"), float)
            nearest = int(np.abs(self.others - pixels).mean(axis=(1, 2, 3)).argmin())
            if nearest != self.number:
                return f"a picture like visitor {nearest}'s"
            if kind == "protect" and np.abs(pixels - self.others[self.number]).max() > 8:
                return "a picture beyond the budget"
        return ""

    def vanish(self, kind: str) -> None:
        """A tab that is closed in the middle of its job: its connections end, and nobody says good-bye."""
        session, api = secrets.token_hex(6), f"{self.url}gradio_api/"
        self.figures.came()
        with httpx.Client(timeout=LONGEST) as http:
            functions = http.get(f"{self.url}config").json()["dependencies"]
            number = next(f["id"] for f in functions if f["api_name"] == kind)
            uploaded = http.post(f"{api}upload", files={"files": (self.file.name, self.file.read_bytes())}).json()[0]
            file = {"path": uploaded, "meta": {"_type": "gradio.FileData"}}
            data = list(arguments(kind, file, self.settings(400)))
            data += [None] * (len(next(f["inputs"] for f in functions if f["id"] == number)) - len(data))
            with contextlib.suppress(httpx.HTTPError), http.stream("GET", f"{api}heartbeat/{session}"):
                body = {"data": data, "fn_index": number, "session_hash": session}
                joined = http.post(f"{api}queue/join", json=body)
                if joined.status_code == 200:
                    with http.stream("GET", f"{api}queue/data", params={"session_hash": session}) as messages:
                        wanted = self.random.randint(1, 6)
                        for line in messages.iter_lines():
                            wanted -= line.startswith("data:")
                            if wanted <= 0 or (line.startswith("data:") and "completed" in json.loads(line[5:])["msg"]):
                                break
        self.figures.add(kind, "vanished")

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.1)


def streamed(job: Any) -> list[tuple[Any, dict[str, Any]]]:
    """What a job told on its way, as (result, report)."""
    return [output for output in job.outputs() if isinstance(output, list | tuple)]


def arguments(kind: str, file: Any, settings: dict[str, Any]) -> tuple[Any, ...]:
    """What an endpoint takes of a visitor."""
    if kind == "generate":
        return (settings,)
    return (file, file, settings) if kind == "measure" else (file, settings)


KINDS = ("protect", "protect", "purify", "purify", "reconstruct", "measure", "edit", "generate")
EACH_KIND = tuple(dict.fromkeys(KINDS))
