"""Sufficient or not: the line after a protection, its figures, and the three doors that tell it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.jobs.answer import FAINT, HOLDS
from impress_ui.jobs.check import SPOILS, SURVIVORS, Check, check, checked
from impress_ui.measures.metrics import encode_picture, latent_distance
from impress_ui.methods.filters import through_format
from impress_ui.methods.optimise import run_to_end
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.settings import JobSettings
from impress_ui.ui import views
from tests.unit.test_cli import run_json

NAMES = list(SURVIVORS)
NOT = ("--no-check",)


def said(moved: float, *after: float) -> str:
    return Check(moved, dict(zip(NAMES, after, strict=True))).sentence


def test_the_line_at_the_edges_of_its_rules() -> None:
    all_kept = (2.0,) * 4
    assert "next to nothing" in said(FAINT - 0.001, *all_kept)
    assert said(FAINT, *all_kept).startswith("Not sufficiently protected: the latent is moved by 10.0% of its length")
    assert "could not be measured" in said(1.0, math.nan, 1.0, 1.0, 1.0)
    assert said(SPOILS + 0.01, *[SPOILS - 0.001] * 4).startswith("It holds against")  # next to nothing was taken away
    assert said(SPOILS - 0.001, *all_kept).startswith("Not sufficiently protected")
    assert said(SPOILS, *all_kept) == f"It holds against {', '.join(SURVIVORS.values())}: at least 100% is left."
    enough = max(1.0, SPOILS / HOLDS + 0.01)
    assert said(enough, HOLDS * enough, *[enough] * 3).endswith("at least 75% is left.")
    weakened = said(enough, enough, HOLDS * enough - 0.01, enough, enough)
    assert weakened == "It is weakened by half the size and back to 74%, and still spoils an edit."
    other = Check(0.2, dict.fromkeys(NAMES, 0.1), calibrated=False)
    assert other.sentence.startswith("Of how far it moves the latent, is left after a JPEG of quality 75 (50% left), ")
    assert other.as_dict()["spoils_from"] is None
    fallen = said(1.0, 1.0, SPOILS, SPOILS - 0.01, SPOILS - 0.1)
    share = f"{SPOILS - 0.1:.0%} left), the learned purifier ({SPOILS - 0.01:.0%} left): edits come back."
    assert fallen == f"It does not hold against ten steps of IMPRESS ({share}"


def test_figures_are_those_of_the_purifiers_run_one_by_one(
    photographs: list[Image.Image], embedded: Autoencoder
) -> None:
    original = photographs[0].resize((32, 32))
    job = JobSettings().updated(run={"size": 64}, protect={"steps": 10})
    protected = to_images(run_to_end(workflow.protect_picture(original, job)).result)[0]
    found = check(protected, original, job)
    reference = encode_picture(original, embedded)
    assert found.moved == pytest.approx(latent_distance(encode_picture(protected, embedded), reference))
    jpeg = to_images(through_format(to_tensor(protected), "JPEG", 75))[0]
    assert found.after["jpeg 75"] == pytest.approx(latent_distance(encode_picture(jpeg, embedded), reference))
    assert set(found.after) == set(SURVIVORS) and all(value < found.moved for value in found.after.values())
    assert check(protected, original, job, lambda: True) is None

    assert found.calibrated
    others = [{"protect": {"method": method}} for method in ("advdm", "edit-shield", "dct-shield")]
    for change in ({"run": {"checkpoint": "assets/autoencoders/kl"}}, *others):
        assert not check(protected, original, job.updated(**change)).calibrated

    told = checked("protected", protected, original, job, stopped=False)
    assert told["check"]["sentence"] == found.sentence and json.dumps(told)
    for kind, stopped, wanted in (("purified", False, job), ("protected", True, job)):
        assert checked(kind, protected, original, wanted, stopped=stopped) == {}
    assert checked("protected", protected, original, job.updated(run={"check": False}), stopped=False) == {}


def test_the_page_says_it_behind_the_answer_and_nothing_twice() -> None:
    rows = [
        {"name": "original", "control": False, "latent_distance": 0.0},
        {"name": "protected", "control": False, "latent_distance": 0.7},
    ]
    assert "what is left. <span>It holds &amp; so on</span></p>" in views.answer(rows, "IMPRESS", "It holds & so on")
    assert views.answer(rows) == views.answer(rows, "IMPRESS", "")
    rows[1]["latent_distance"] = 0.01
    assert views.answer(rows, "IMPRESS", said(0.01, *(0.01,) * 4)) == views.answer(rows)


def test_the_command_line_says_it_unless_it_is_not_wanted(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    quick = ("--steps", 3, "--size", 64, "--force")
    found = [run_json(capsys, "protect", photo, "-o", tmp_path / "out.png", *quick, *more) for more in ((), NOT)]
    assert found[0]["check"]["sentence"] in found[0]["summary"] and found[0]["check"]["moved"] > 0
    assert "check" not in found[1]


def test_a_check_that_fails_loses_no_picture(photographs: list[Image.Image], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise UserError("The loss was not a number.")

    monkeypatch.setattr("impress_ui.jobs.check.purify_picture", fails)
    assert checked("protected", photographs[0], photographs[1], JobSettings(), stopped=False) == {}
