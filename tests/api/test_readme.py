"""What the README shows must run as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_front_matter_is_what_a_space_accepts() -> None:
    front = yaml.safe_load(README.split("---\n")[1])
    assert front["sdk"] == "gradio" and (ROOT / front["app_file"]).is_file()
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {front["colorFrom"], front["colorTo"]} <= colours
    assert len(front["short_description"]) <= 60
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    ranges = {requirement.name: requirement.specifier for requirement in map(Requirement, lines)}
    assert front["sdk_version"] in ranges["gradio"]
    assert "2.8.0" in ranges["torch"]  # the oldest that ZeroGPU offers


def test_the_python_snippet(app_url: str, tmp_path: Path) -> None:
    (snippet,) = [block for block in blocks("python") if "gradio_client" in block]
    assert "http://127.0.0.1:7860" in snippet
    script = snippet.replace("http://127.0.0.1:7860", app_url).replace("photo.jpg", "photo.png")
    with Image.open(ROOT / "assets/photos/test/beach2.jpg") as image:
        image.resize((96, 64)).save(tmp_path / "photo.png")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert re.search(r"0\.\d+", done.stdout) and "Protecting 0" in done.stdout


@pytest.mark.parametrize(
    "line", [line for block in blocks("bash") for line in block.splitlines() if "-m impress_ui" in line]
)
def test_the_commands_are_known(line: str) -> None:
    """Every command line of the README parses; ``--help`` keeps it from running for minutes."""
    words = shlex.split(line.split("#")[0])
    words[0] = sys.executable
    known = subprocess.run([*words[:4], "--help"], cwd=ROOT, capture_output=True, text=True)
    assert known.returncode == 0, known.stderr
    for option in (word for word in words[4:] if word.startswith("-")):
        assert option in known.stdout, option
