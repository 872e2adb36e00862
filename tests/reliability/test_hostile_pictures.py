"""Wrong, damaged and hostile files: each is refused with a sentence or loaded right, and nothing else happens."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image, ImageOps
from pydantic import ValidationError

from impress_ui.cli.given import job_of
from impress_ui.errors import UserError
from impress_ui.paths import ROOT
from impress_ui.pictures.images import open_picture, read_metadata, save_png
from impress_ui.settings import JobSettings, Settings, sentence_of
from impress_ui.ui.forms import job_from_json
from impress_ui.ui.mistakes import explain
from tests.reliability.fuzz import MUTATED, tried
from tests.reliability.hostile import MARKUP, corpus, good_pictures, mutate, written
from tests.unit.test_cli import run

OTHERS = [good_pictures()[name] for name in sorted(good_pictures())]
SEVERAL = {"moving.png", "moving.webp", "moving.gif", "pages.tiff"}


def test_good_pictures_of_every_kind_are_loaded_right(tmp_path: Path) -> None:
    for name, path in written(good_pictures(), tmp_path).items():
        if name in SEVERAL:
            with pytest.raises(UserError, match="animated or has several pages"):
                open_picture(path)
            continue
        picture = open_picture(path).image
        with Image.open(io.BytesIO(good_pictures()[name])) as image:
            if image.mode.startswith(("I", "F")):
                assert np.ptp(np.asarray(picture)) > 200
                continue
            own = ImageOps.exif_transpose(image).convert("RGBA")
            own = Image.alpha_composite(Image.new("RGBA", own.size, "white"), own).convert("RGB")
        assert np.abs(np.asarray(own, int) - np.asarray(picture, int)).max() <= 1, name


@pytest.mark.parametrize("name", sorted(corpus()))
def test_the_corpus(name: str, tmp_path: Path) -> None:
    (path,) = written({name: corpus()[name]}, tmp_path).values()
    assert tried(path) == ("loaded" if name.startswith("fine") else "refused")


@hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(MUTATED)
def test_mutated_pictures(tmp_path: Path, mutated: tuple[str, list[tuple[str, float, int]], bool]) -> None:
    name, operations, repair = mutated
    path = tmp_path / name
    path.write_bytes(mutate(good_pictures()[name], operations, OTHERS, repair))
    tried(path)


@pytest.mark.slow
def test_thousands_of_mutated_pictures() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.reliability.fuzz", "--files", "3000"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    print(done.stdout)
    report = json.loads(done.stdout)
    assert report["mutated"] >= 2000 and report["failures"] == 0 and report["peak_mebibytes"] < 1500
    assert report["loaded"] + report["refused"] == report["mutated"] + report["by_hand"]


def test_no_memory_is_not_taken_for_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_png(Image.new("RGB", (64, 64)), tmp_path / "a.png")

    def none_left(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", none_left)
    with pytest.raises(MemoryError):
        open_picture(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match="no file"):
        open_picture(tmp_path / "pipe.png")
    assert read_metadata(tmp_path / "text.png") is None


# --- settings from outside ---------------------------------------------------------------------------------

FIELDS = [
    (section, name)
    for section, group in JobSettings()
    if isinstance(group, Settings)
    for name in type(group).model_fields
]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20),
    st.sampled_from([MARKUP, "../../etc/passwd", "\0", "1e999", "NaN", "x" * 100_000, "glaze", "chain"]),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)  # fmt: skip


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), min_size=1, max_size=3))
def test_settings_outside_their_ranges_are_refused_by_name(given: list[tuple[tuple[str, str], object]]) -> None:
    data: dict[str, dict[str, object]] = {}
    for (section, name), value in given:
        data.setdefault(section, {})[name] = value
    try:
        job = job_from_json(data)
    except (ValidationError, UserError) as error:
        sentence = explain(error)
        assert "\n" not in sentence and len(sentence) < 800 and "inside the program" not in sentence
        assert any(name in sentence for name in (*data, *(name for (_, name), _ in given)))
        return
    for section, name in FIELDS:
        about = type(getattr(job, section)).describe(name)
        value = getattr(getattr(job, section), name)
        if isinstance(value, float | int) and about["minimum"] is not None:
            assert about["minimum"] <= value <= about["maximum"]


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(st.recursive(VALUES, lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=3)))
def test_any_json_gives_settings_or_a_sentence(data: object) -> None:
    try:
        assert isinstance(job_from_json(data), JobSettings)
    except (ValidationError, UserError) as error:
        assert "\n" not in explain(error)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"protect": {"budget": 10**9}}, "protect.budget"),
        ({"run": {"size": 10**6}}, "run.size"),
        ({"purify": {"steps": -1}}, "purify.steps"),
        ({"edit": {"prompt": MARKUP * 1000}}, "edit.prompt"),
        ({"run": {"chekpoint": "x"}}, "no setting named run.chekpoint"),
        ({MARKUP: 1}, "no setting named"),
    ],
)
def test_settings_inside_a_hostile_png_are_checked_like_any_other(
    settings: dict, sentence: str, tmp_path: Path
) -> None:
    path = save_png(Image.new("RGB", (64, 64)), tmp_path / "theirs.png", {"kind": "protected", "settings": settings})
    with pytest.raises(ValidationError) as caught:
        job_of(path)
    assert sentence in sentence_of(caught.value)


def test_a_hostile_png_of_settings_ends_the_program_with_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    theirs = {"settings": {"protect": {"budget": MARKUP}}}
    path = save_png(Image.new("RGB", (64, 64)), tmp_path / "theirs.png", theirs)
    status, _, err = run(capsys, "protect", path, "-o", tmp_path / "x.png", "--settings", path)
    assert status == 2 and "protect.budget" in err and "Traceback" not in err
    assert len(err.strip().splitlines()) == 1 and not (tmp_path / "x.png").exists()
