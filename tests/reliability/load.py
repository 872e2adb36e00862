"""Many visitors at once, with stops and vanishing tabs; prints what became of their jobs as one JSON object.

    python -m tests.reliability.load --minutes 10 --visitors 20
    python -m tests.reliability.load --minutes 60 --plot load.svg      # memory and files over the hour

Exits with an error where a job did not end, ended without a clear word, or delivered another visitor's picture; where
memory has grown by more than a tenth and went on growing in the second half; or where files are left.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client, handle_file

from impress_ui.paths import ROOT
from tests.reliability.visitors import EACH_KIND, LONGEST, PATIENT, Figures, Visitor, arguments

GROWTH = 1.10  # since everybody had one job
SETTLED = 1.03  # from the middle of the run to its end: what is loaded late has been loaded by then
GONE_WITHIN = 20  # seconds in which the files of visitors who left must be gone


class Server:
    """The app in a process of its own, which tells of its memory and its files."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url, self.answers, self.log = f"http://127.0.0.1:{port}/", folder / "answers", folder / "log"
        environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "cache"), "TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir()
        self.temporary = folder / "tmp"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.serve", str(port), str(self.answers)],
            cwd=ROOT, env=environment, stdout=self.log.open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(self.url, timeout=5)
                return
            except httpx.HTTPError:
                time.sleep(0.5)
        raise SystemExit(f"The app did not start:\n{self.log.read_text()[-3000:]}")

    def ask(self, question: signal.Signals = signal.SIGUSR1) -> dict[str, Any]:
        """Memory after a garbage collection, and the files in the cache."""
        self.answers.unlink(missing_ok=True)
        self.process.send_signal(question)
        deadline = time.monotonic() + 60
        while not self.answers.exists():
            assert time.monotonic() < deadline and self.process.poll() is None, "the app does not answer"
            time.sleep(0.1)
        return json.loads(self.answers.read_text())

    def of_sessions(self) -> list[str]:
        """The files that belong to sessions."""
        return [name for name in self.ask()["files"] if name.startswith("impress/")]

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Samples(threading.Thread):
    """What the app's process holds in memory, and how many files lie in its cache, every few seconds."""

    EVERY = 5.0

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server, self.began = server, time.monotonic()
        self.rows: list[tuple[float, float, int]] = []  # minutes, MiB, files
        self.ended = threading.Event()

    def run(self) -> None:
        status = Path(f"/proc/{self.server.process.pid}/status")
        while not self.ended.wait(self.EVERY):
            held = next((line for line in status.read_text().splitlines() if line.startswith("VmRSS")), "VmRSS: 0")
            # ``walk`` passes over the folders of visitors who leave meanwhile.
            files = sum(len(names) for _, _, names in os.walk(self.server.temporary.parent / "cache"))
            self.rows.append(((time.monotonic() - self.began) / 60, int(held.split()[1]) / 1024, files))

    def grown_in_second_half(self) -> float:
        """Memory over the last tenth of the run, over that of the tenth after its middle."""
        memory = [held for _, held, _ in self.rows]
        tenth, middle = max(1, len(memory) // 10), len(memory) // 2
        return statistics.mean(memory[-tenth:]) / statistics.mean(memory[middle : middle + tenth]) if memory else 1.0

    def plot(self, file: Path) -> None:
        """Both over time, as SVG, and the numbers as CSV beside it."""
        import matplotlib

        matplotlib.use("svg")
        from matplotlib import pyplot

        minutes, memory, files = zip(*self.rows, strict=True)
        figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 4), layout="constrained")
        above.plot(minutes, memory, linewidth=0.8)
        above.set(ylabel="memory, MiB", ylim=(0, None))
        below.plot(minutes, files, linewidth=0.8)
        below.set(xlabel="minutes", ylabel="files in the cache", ylim=(0, None))
        figure.savefig(file, metadata={"Date": None})
        rows = (f"{m:.2f},{held:.0f},{count}" for m, held, count in self.rows)
        file.with_suffix(".csv").write_text("\n".join(["minutes,mebibytes,files", *rows, ""]))


def load(server: Server, folder: Path, visitors: int, minutes: float, plot: Path | None = None) -> dict[str, Any]:
    """The figures of a run."""
    figures = Figures()
    crowd = [Visitor(server.url, number, visitors, folder, figures) for number in range(visitors)]
    _warm(server.url, crowd)
    before = server.ask()
    samples = Samples(server)
    samples.start()
    until = time.monotonic() + 60 * minutes
    threads = [threading.Thread(target=visitor.jobs, args=(until,), daemon=True) for visitor in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until + 2 * LONGEST - time.monotonic()))
    hanging = sum(thread.is_alive() for thread in threads)
    samples.ended.set()
    samples.join()
    if plot:
        samples.plot(plot)
    began = time.monotonic()
    while (left := server.of_sessions()) and time.monotonic() - began < GONE_WITHIN:
        time.sleep(1)
    after = server.ask()
    aged = server.ask(signal.SIGUSR2)
    return {
        "visitors": visitors, "minutes": minutes, "sessions": figures.sessions, "jobs": figures.ends.total(),
        "ends": dict(sorted(figures.ends.items())), "kinds": dict(sorted(figures.kinds.items())),
        "most_ahead_in_line": figures.deepest, "slowest_seconds": round(figures.slowest, 1),
        "failures": figures.failures, "visitors_hanging": hanging,
        "mebibytes_before": before["resident"] >> 20, "mebibytes_after": after["resident"] >> 20,
        "growth": round(after["resident"] / before["resident"], 4),
        "growth_in_second_half": round(samples.grown_in_second_half(), 4),
        "files_of_sessions_left": len(left), "uploads_left_to_age": len(set(after["files"]) - set(before["files"])),
        "files_left_after_their_age": len(set(aged["files"]) - set(before["files"])),
        "temporary_files_left": sum(path.is_file() for path in server.temporary.rglob("*")),
        "errors_in_log": server.log.read_text().count("Traceback"),
    }  # fmt: skip


def _warm(url: str, crowd: Sequence[Visitor]) -> None:
    """A job of each visitor, all at once: memory is measured when everything is loaded and every thread is there."""
    clients = [Client(url, verbose=False, download_files=visitor.folder, httpx_kwargs=PATIENT) for visitor in crowd]
    jobs = []
    for number, (client, visitor) in enumerate(zip(clients, crowd, strict=True)):
        kind = EACH_KIND[number % len(EACH_KIND)]
        given = arguments(kind, handle_file(str(visitor.file)), visitor.settings(4))
        jobs.append(client.submit(*given, api_name=f"/{kind}"))
    for job in jobs:
        job.result(timeout=2 * LONGEST)
    for client in clients:
        client.close()
    time.sleep(2)


def faults(report: dict[str, Any]) -> list[str]:
    """What a run must not show."""
    found = list(report["failures"])
    names = ("visitors_hanging", "files_of_sessions_left", "files_left_after_their_age", "temporary_files_left",
             "errors_in_log")  # fmt: skip
    found += [f"{name}: {report[name]}" for name in names if report[name]]
    if report["growth"] > GROWTH and report["growth_in_second_half"] > SETTLED:
        found.append(f"memory grew to {report['growth']} of what it was")
    if not report["ends"].get("result"):
        found.append("no job gave a result")
    return found


def main() -> None:
    """Run, print, and fail where there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--plot", type=Path, help="an SVG file to draw memory and files to; a CSV lies beside it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        server = Server(Path(place))
        try:
            report = load(server, Path(place), arguments.visitors, arguments.minutes, arguments.plot)
        finally:
            server.end()
            print(server.log.read_text()[-4000:], file=sys.stderr)
    print(json.dumps(report))
    if found := faults(report):
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
