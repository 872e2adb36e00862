"""An experiment that is killed, or finds the disk full, goes on where it was and gives the same table."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from impress_ui.paths import ROOT

pytestmark = pytest.mark.slow
UNITS = 6
COMMAND = [
    sys.executable, "-m", "impress_ui", "experiment", "ablation", "--photographs", "2", "--size", "64",
    "--vary", "protect.budget=4,8,16", "--set", "protect.steps=2", "--set", "purify.steps=2", "-o",
]  # fmt: skip


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, str(folder)], cwd=ROOT, capture_output=True, text=True)


def units(folder: Path) -> list[Path]:
    return sorted((folder / "ablation" / "units").glob("*.json"))


def table(folder: Path) -> tuple[str, list[dict]]:
    return (folder / "ablation.csv").read_text(), json.loads((folder / "ablation.json").read_text())["rows"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict]]:
    folder = tmp_path_factory.mktemp("whole")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    return table(folder)


def test_killed_in_the_middle_it_gives_the_same_table(uninterrupted: tuple[str, list[dict]], tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*COMMAND, str(tmp_path)], cwd=ROOT, stdout=log, stderr=log)
        while len(units(tmp_path)) < 2:
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done_before = units(tmp_path)
    assert 2 <= len(done_before) < UNITS and not (tmp_path / "ablation.csv").exists()
    assert all(json.loads(file.read_text())["records"] for file in done_before)
    kept = {file: file.stat().st_mtime_ns for file in done_before}
    done = run(tmp_path)
    assert done.returncode == 0 and f"{len(kept)} of {UNITS} units are done already" in done.stderr
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert table(tmp_path) == uninterrupted


def test_a_full_disk_ends_the_run_with_a_sentence_and_it_goes_on(
    uninterrupted: tuple[str, list[dict]], tmp_path: Path
) -> None:
    mounting = shutil.which("unshare") and subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(tmp_path)], capture_output=True
    )
    if not mounting or mounting.returncode:
        pytest.skip("a small disk of one's own cannot be mounted here")
    script = """
        mkdir "$0/disk" && mount -t tmpfs -o size=88k none "$0/disk"
        "$@" "$0/disk" 2> "$0/log"; echo $? > "$0/status"
        cp -r "$0/disk" "$0/at-the-end"
        mount -o remount,size=64m "$0/disk"
        "$@" "$0/disk" 2> "$0/second" && cp -r "$0/disk" "$0/gone-on"
    """
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, str(tmp_path), *COMMAND],
        cwd=ROOT, capture_output=True, text=True, env=os.environ,
    )  # fmt: skip
    log = (tmp_path / "log").read_text()
    assert done.returncode == 0, log + done.stderr
    assert (tmp_path / "status").read_text().strip() == "2"
    assert log.splitlines()[-1].startswith("Error: The disk is full") and "Traceback" not in log
    kept = units(tmp_path / "at-the-end")
    assert 1 <= len(kept) < UNITS
    assert all(json.loads(file.read_text())["records"] for file in kept)
    assert f"{len(kept)} of {UNITS} units are done already" in (tmp_path / "second").read_text()
    assert table(tmp_path / "gone-on") == uninterrupted
