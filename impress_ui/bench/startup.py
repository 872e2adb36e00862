"""How long the program takes to be there, what it holds while nobody uses it, and what its page costs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

from impress_ui.bench.clock import Case, ratio, time_in_turn
from impress_ui.bench.plan import Plan, Report
from impress_ui.jobs import workflow
from impress_ui.methods.optimise import run_to_end

HELPS = 3
PATIENCE = 120.0  # seconds until the page must have answered, and again until it must have come to rest
REST = 2.0  # seconds without work
MIB = 2**20
STREAMED_STEPS = 20


def start_up(plan: Plan) -> Report:
    """Seconds of ``--help``, seconds until the page answers, and MiB that it holds at rest.

    At rest is after the page has loaded its model and measured the machine's pace, which it does unasked.
    """
    plan.log("start-up")
    helps = [_help() for _ in range(HELPS)]
    return {
        "help_seconds": median(wall for wall, _ in helps),
        "help_processor_seconds": median(processor for _, processor in helps),
        **_page(),
    }


def _help() -> tuple[float, float]:
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "impress_ui", "--help"], check=True, capture_output=True)
    wall, after = time.perf_counter() - began, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def _page() -> Report:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        command = [sys.executable, "-m", "impress_ui", "serve", "--port", str(port)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path.cwd()
        )
        try:
            answered = _answered(f"http://127.0.0.1:{port}/", process)
            seconds = time.perf_counter() - began if answered else None
            worked = _processor_seconds(process.pid)
            return {
                "page_seconds": seconds,
                "page_processor_seconds": worked,
                "idle_memory": _memory_at_rest(process.pid) if answered else None,
            }
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answered(url: str, process: subprocess.Popen) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with direct.open(url, timeout=5):
                return True
        except OSError:
            time.sleep(0.05)
    return False


def _memory_at_rest(pid: int) -> float | None:
    """MiB once the process has done nothing for a while; None where the system does not tell."""
    worked = _processor_seconds(pid)
    if worked is None:
        return None
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(REST)
        before, worked = worked, _processor_seconds(pid) or 0.0
        if worked - before < 0.1 * REST:
            break
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def _processor_seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def page_cost(plan: Plan) -> Report:
    """Seconds a step of the fast recipe with and without the page's stream of curves and previews, and their ratio."""
    plan.log("the page's share")
    from impress_ui.bench.streaming import StreamedPurification

    image, job = plan.pictures(1)[0], plan.job(purify={"steps": STREAMED_STEPS})
    streamed = StreamedPurification(image, job)
    cases = {
        "headless": Case(lambda: run_to_end(workflow.purify_picture(image, job)), STREAMED_STEPS),
        "page": Case(streamed.run, STREAMED_STEPS),
    }
    times = time_in_turn(cases, plan.repeats, plan.device)
    return {
        **{name: taken.as_dict() for name, taken in times.items()},
        "page_over_headless": ratio(times["page"], times["headless"]),
    }
