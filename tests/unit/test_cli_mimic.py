from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from impress_ui.__main__ import main
from impress_ui.art.artists import works
from impress_ui.methods.mimic import PROGRESS
from impress_ui.models.adapters import ADAPTER

QUICK = ["--works", "4", "--steps", "2", "--batch", "2", "--rank", "2", "--imitations", "1", "--size", "64"]


@pytest.fixture
def sampling(tmp_path: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(
        json.dumps({"generate": {"sampling_steps": 1}, "mimic": {"preview_every": 0, "adapted": "attention"}})
    )
    return path


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> dict:
    monkeypatch.setattr(sys, "argv", ["impress_ui", "mimic", *map(str, arguments), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    captured = capsys.readouterr()
    assert end.value.code == 0, captured.err
    return json.loads(captured.out)


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> str:
    monkeypatch.setattr(sys, "argv", ["impress_ui", "mimic", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    captured = capsys.readouterr()
    assert end.value.code == 2 and captured.err.count("\n") == 1
    return captured.err


def test_an_artist_that_comes_along(capsys, monkeypatch, tmp_path: Path, sampling: Path, shallow_folder: Path) -> None:
    sampling.write_text(json.dumps({**json.loads(sampling.read_text()), "run": {"checkpoint": str(shallow_folder)}}))
    out = tmp_path / "out"
    report = run(capsys, monkeypatch, "-o", out, "--artist", "Cobalt", "--settings", sampling, *QUICK)
    assert report["works"] == 4 and len(report["losses"]) == 2 and not report["stopped"]
    assert [Path(row["output"]).name for row in report["results"]] == ["000.png"]
    assert report["results"][0]["caption"].endswith(" by Cobalt")
    assert (out / ADAPTER).is_file() and (out / PROGRESS).is_file()
    further = run(
        capsys, monkeypatch, "-o", out, "--artist", "Cobalt", "--settings", sampling, *QUICK, "--steps", "3"
    )  # the last --steps counts
    assert len(further["losses"]) == 1
    said = refused(capsys, monkeypatch, "-o", out, "--artist", "Cedar", "--settings", sampling, *QUICK)
    assert "of other pictures" in said
    only = run(
        capsys, monkeypatch, "-o", tmp_path / "more", "--artist", "Cobalt", "--settings", sampling, *QUICK,
        "--adapter", report["adapter"], "--prompt", "the sea by Cobalt", "--prompt", "a city by Cobalt",
    )  # fmt: skip
    assert len(only["results"]) == 2 and only["losses"] == []


def test_a_folder_of_ones_own(capsys, monkeypatch, tmp_path: Path, sampling: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, work in enumerate(works("Birch", "train", side=64, count=4)):
        work.image.save(folder / f"{number}.png")
    report = run(capsys, monkeypatch, folder, "-o", tmp_path / "out", "--artist", "me", "--settings", sampling, *QUICK)
    assert report["results"][0]["caption"] == "a picture by me"
    (folder / "0.png").unlink()
    said = refused(capsys, monkeypatch, folder, "-o", tmp_path / "o2", "--artist", "me", "--settings", sampling, *QUICK)
    assert "3 pictures" in said


def test_what_is_refused(capsys, monkeypatch, tmp_path: Path) -> None:
    assert "none of the artists" in refused(capsys, monkeypatch, "-o", tmp_path / "o", "--artist", "Nobody")
    said = refused(capsys, monkeypatch, "-o", tmp_path / "o.png", "--artist", "Cobalt", *QUICK)
    assert "must be a folder" in said
    said = refused(capsys, monkeypatch, "-o", tmp_path / "o", "--artist", "Cobalt", *QUICK, "--adapter", tmp_path)
    assert "no fine-tuned model" in said
    (tmp_path / "theirs.safetensors").touch()
    theirs = ("--adapter", tmp_path / "theirs.safetensors")
    assert "goes with --lora" in refused(
        capsys, monkeypatch, "-o", tmp_path / "o", "--artist", "Cobalt", *QUICK, *theirs
    )
