"""Where results go: distinct, known and writable before the first step; what is stopped or left out is said."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from impress_ui.jobs import workflow
from impress_ui.methods.optimise import Step
from impress_ui.pictures.images import read_metadata, save_png
from tests.conftest import ROOT
from tests.unit.test_cli import run, run_json

JPEG = ("--method", "jpeg", "--size", "64")


@pytest.fixture
def folder(tmp_path: Path, little: list[Image.Image]) -> Path:
    """Three pictures of nearly one name, and what other systems leave beside them."""
    made = tmp_path / "in"
    made.mkdir()
    save_png(little[0], made / "a.png")
    little[1].save(made / "a.jpg")
    save_png(little[2], made / "plain.png")
    (made / "plain.png").rename(made / "a.png.webp")
    (made / "._a.png").write_bytes(b"\0\5\26\7")
    (made / "none.png").write_bytes(b"")
    (made / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    return made


def test_three_in_three_out_and_what_is_left_out_is_named(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    report = run_json(capsys, "purify", folder, "-o", tmp_path / "out", *JPEG)
    outputs = {Path(row["output"]).name for row in report["results"]}
    assert len(report["results"]) == 3 and outputs == {path.name for path in (tmp_path / "out").iterdir()}
    assert len(outputs) == 3
    assert report["left_out"] == {"._a.png": "hidden", "none.png": "empty"}
    status, out, _ = run(capsys, "reconstruct", folder, "-o", tmp_path / "seen", "--size", 64)
    assert status == 0 and "Left out: ._a.png (hidden), none.png (empty)" in out
    (folder / "damaged.png").write_bytes((folder / "a.png").read_bytes()[:200])
    report = run_json(capsys, "universal", folder, "-o", tmp_path / "u.png", "--steps", 1, "--size", 64)
    assert report["pictures"] == 3 and "damaged" in report["left_out"]["damaged.png"]
    (folder / "damaged.png").unlink()

    # Measured against what they were made of, each finds its own; what has no partner is named.
    (tmp_path / "out" / "b.png").write_bytes((tmp_path / "out" / "a.png.png").read_bytes())
    report = run_json(capsys, "measure", tmp_path / "out", folder, "--size", 64)
    pairs = {(Path(row["a"]).name, Path(row["b"]).name) for row in report["results"]}
    assert pairs == {("a.jpg.png", "a.jpg"), ("a.png.png", "a.png"), ("a.png-2.png", "a.png.webp")}
    assert report["left_out"]["out/b.png"] == "no partner in in"


@pytest.mark.parametrize(
    ("output", "words"),
    [("", "output is empty"), ("{other}", "not made by this program"), ("/proc/x.png", "cannot be"),
     ("{text}/x.png", "cannot be"), ("{long}", "cannot be written")],
)  # fmt: skip
def test_a_place_that_cannot_take_it_is_refused_before_the_first_step(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, output: str, words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    Image.new("RGB", (40, 40)).save(tmp_path / "other.png")
    before = (tmp_path / "other.png").read_bytes()
    (tmp_path / "text").write_text("a file")
    places = {"other": tmp_path / "other.png", "text": tmp_path / "text", "long": tmp_path / f"{'x' * 252}.png"}
    monkeypatch.setattr(workflow, "purify_picture", None)  # nothing may have begun
    status, out, err = run(capsys, "purify", folder / "a.png", "-o", output.format(**places), *JPEG)
    assert status == 2 and out == "" and words in err and len(err.strip().splitlines()) == 1
    assert (tmp_path / "other.png").read_bytes() == before


def test_force_and_our_own_files_are_written_over(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "other.png")
    run_json(capsys, "purify", folder / "a.png", "-o", tmp_path / "other.png", "--force", *JPEG)
    assert read_metadata(tmp_path / "other.png")["settings"]["purify"]["jpeg_quality"] == 40
    run_json(capsys, "purify", folder / "a.png", "-o", tmp_path / "other.png", "--jpeg-quality", 20, *JPEG)
    assert read_metadata(tmp_path / "other.png")["settings"]["purify"]["jpeg_quality"] == 20
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "sheet.png").write_bytes(b"mine")
    stress = ("stress", folder / "a.png", "--size", 64, "--purifiers", "jpeg 40", "-o", tmp_path / "test")
    status, _, err = run(capsys, *stress)
    assert status == 2 and "sheet.png is there" in err and (tmp_path / "test" / "sheet.png").read_bytes() == b"mine"
    for more in (["--force"], []):  # and once the folder is ours
        run_json(capsys, *stress, *more)


def test_a_slash_at_the_end_is_a_folder(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    report = run_json(capsys, "purify", folder / "a.png", "-o", f"{tmp_path}/new/", *JPEG)
    assert Path(report["output"]) == tmp_path / "new" / "a.png" and (tmp_path / "new" / "a.png").is_file()


def test_the_longest_name_is_written(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    name = f"{'x' * 251}.png"
    run_json(capsys, "purify", folder / "a.png", "-o", tmp_path / name, *JPEG)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]


def test_ctrl_c_says_where_it_stopped_and_ends_with_130(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = workflow.protect_picture

    def pressed(*arguments: Any, **options: Any) -> Iterator[Step]:
        for step in whole(*arguments, **options):
            if step.index == 1:
                signal.raise_signal(signal.SIGINT)
            yield step

    monkeypatch.setattr(workflow, "protect_picture", pressed)
    status, out, err = run(
        capsys, "protect", folder, "-o", tmp_path / "out", "--json", "--steps", 9, "--size", 64, "--no-check"
    )
    report = json.loads(out)
    assert status == 130 and err.splitlines()[-1] == (
        "Stopped at step 2 of 9; 2 of 3 pictures not begun; what was done is kept."
    )
    assert report["stopped"] and len(report["results"]) == 1 and report["results"][0]["stopped"]
    assert len(list((tmp_path / "out").iterdir())) == 1
    monkeypatch.undo()
    assert run(capsys, "purify", folder / "a.png", "-o", tmp_path / "b.png", *JPEG)[0] == 0  # and it is over


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_consoles_of_other_encodings(
    encoding: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "山 ε.png"
    shutil.copy(folder / "a.png", foreign)

    def called(*arguments: object) -> str:
        console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", console)
        status, _, err = run(capsys, *arguments)
        assert status == 0, err
        console.flush()
        return console.buffer.getvalue().decode(encoding, "replace")  # type: ignore[attr-defined]

    assert "--budget" in called("protect", "--help")
    assert "ssim" in called("measure", foreign, foreign, "--size", 64)
    report = json.loads(called("measure", foreign, foreign, "--size", 64, "--json"))
    assert report["a"] == str(foreign)


def test_a_console_that_knows_few_letters_ends_well(tmp_path: Path) -> None:
    """A process of its own, with letters in the help that the console has not, and with a name that it has not."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    for arguments, status, words in ((["protect", "--help"], 0, b"--budget"), (["settings", "山 ε.png"], 2, b"Error")):
        command = [sys.executable, "-m", "impress_ui", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=300)
        assert done.returncode == status and words in done.stdout + done.stderr, done.stderr
        assert b"Traceback" not in done.stderr


def test_the_program_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys)
    assert status == 0 and err == "" and len(out.splitlines()) > 10 and "protect" in out
