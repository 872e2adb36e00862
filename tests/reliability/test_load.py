"""The load test in its short form; ``python -m tests.reliability.load`` is the long one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from impress_ui.paths import ROOT


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_visitors_at_once() -> None:
    command = [sys.executable, "-m", "tests.reliability.load", "--minutes", "1", "--visitors", "20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["failures"] == [] and report["visitors_hanging"] == 0
    assert report["ends"]["result"] > 0
