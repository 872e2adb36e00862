from __future__ import annotations

import csv
import json
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import trapezoid
from skimage.metrics import structural_similarity

from impress_ui.errors import UserError
from impress_ui.experiments import purifiers
from impress_ui.experiments.detector import auc, best_threshold, roc
from impress_ui.experiments.found import roc_lines
from impress_ui.experiments.pictures import PROMPTS
from impress_ui.experiments.report import as_text
from impress_ui.experiments.table import find_experiment, run_experiment
from impress_ui.pictures.photographs import squares
from impress_ui.settings import ProtectSettings, PurifySettings
from impress_ui.settings.recipes import QUICK_GLAZE

editing = import_module("impress_ui.experiments.editing")  # the package's own name is the experiment's function
SMALL = {
    "run": {"size": 64, "device": "cpu"},
    "protect": {"steps": 2, "step_size": 8},
    "edit": {"sampling_steps": 2},
    "photographs": 2,
}
FAST = PurifySettings(steps=2)


def report_of(name: str, output: Path, **changes: object) -> dict:
    """The report of a small run."""
    own = {"paper_photographs": 0} if name in ("purification", "editing") else {}
    settings = find_experiment(name).settings.model_validate({**SMALL, **own, **changes})
    report = run_experiment(name, settings, output, lambda text: None)
    assert report is not None
    return report


def test_the_area_under_the_roc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):  # few levels, so that there are ties
        positive, negative = rng.integers(2, 9, 11).tolist(), rng.integers(0, 7, 17).tolist()
        xs, ys = zip(*roc(positive, negative), strict=True)
        assert (xs[0], ys[0]) == (0, 0) and (xs[-1], ys[-1]) == (1, 1)
        assert trapezoid(ys, xs) == pytest.approx(auc(positive, negative))
    assert roc([5, 6], [1, 2]) == [(0, 0), (0, 0.5), (0, 1), (0.5, 1), (1, 1)]
    lines = roc_lines({"some": roc([1, 3, 4], [0, 2]), "all": roc([5, 6], [1, 2]), "these": roc([7], [1, 2])})
    assert lines["some"] == [(0, 0, None), (0, 2 / 3, None), (0.5, 2 / 3, None), (0.5, 1, None), (1, 1, None)]
    assert set(lines) == {"some", "every other protection"}


def test_auc_counts_the_pairs_in_order() -> None:
    assert auc([3, 4], [1, 2]) == 1
    assert auc([1, 3], [2, 0]) == pytest.approx(3 / 4)
    assert auc([1, 1], [1, 1]) == pytest.approx(0.5)


def test_threshold_parts_what_can_be_parted() -> None:
    assert 2 < best_threshold([1, 2], [3, 4]) < 3
    assert best_threshold([1.0, 2.0, 9.0], [8.0, 10.0]) == pytest.approx(4.0)  # between 2 and 8, geometrically


@pytest.mark.usefixtures("small_squares")
def test_purification_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    methods = ("jpeg", "sdedit")
    few = [next(control for control in purifiers.CONTROLS if control.method == name) for name in methods]
    monkeypatch.setattr(purifiers, "CONTROLS", few)
    monkeypatch.setattr(purifiers, "FAST", FAST)
    report = report_of("purification", tmp_path)
    names = {row["purifier"] for row in report["rows"]}
    assert {"clean", "none", "jpeg quality 75"} <= names and any(name.startswith("impress fast") for name in names)
    clean = next(row for row in report["rows"] if row["purifier"] == "clean")
    assert (clean["latent_distance"], clean["ssim"], clean["psnr"]) == (0, 1, None)
    none = next(row for row in report["rows"] if row["purifier"] == "none" and row["budget"] == 16)
    assert none["latent_distance"] > 0.1 and none["ssim_se"] > 0
    with (tmp_path / "purification.csv").open() as stream:
        records = list(csv.DictReader(stream))
    assert len(records) == 2 * 2 * len(names)
    assert json.loads((tmp_path / "purification.json").read_text())["rows"] == report["rows"]
    assert (tmp_path / "purification_16.png").exists()
    assert len(as_text(report).splitlines()) == 2 + len(report["rows"])


@pytest.mark.usefixtures("small_squares")
def test_editing_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = (PurifySettings(method="jpeg", jpeg_quality=40), PurifySettings(method="noise", noise_std=0.1))
    monkeypatch.setattr(purifiers, "CONTROLS", few)
    monkeypatch.setattr(purifiers, "FAST", FAST)
    quick = ProtectSettings(method="photoguard-diffusion", steps=1, repetitions=1, attacked_steps=1)
    monkeypatch.setitem(editing.ATTACKS, "diffusion", quick)
    report = report_of("editing", tmp_path)
    assert {(row["attack"], row["budget"]) for row in report["rows"]} == {("encoder", 16), ("diffusion", 16)}
    rows = {row["purifier"]: row for row in report["rows"] if row["attack"] == "encoder"}
    none, best = rows["none"], rows["jpeg quality 40"]
    assert none["gap_closed"] == 0 and len(rows) == 4
    share = (best["edit_ssim"] - none["edit_ssim"]) / (1 - none["edit_ssim"])
    assert best["gap_closed"] == pytest.approx(share) and none["edit_ssim_se"] > 0
    with (tmp_path / "editing.csv").open() as stream:
        records = list(csv.DictReader(stream))
    assert len(records) == 2 * 2 * 4 and {record["prompt"] for record in records} == set(PROMPTS[:2])
    mean = np.mean([float(r["edit_ssim"]) for r in records if (r["attack"], r["purifier"]) == ("encoder", "none")])
    assert mean == pytest.approx(none["edit_ssim"])
    assert (tmp_path / "editing_encoder_16.png").exists() and (tmp_path / "editing_diffusion_16.png").exists()
    assert editing.best_control(report["rows"], "encoder", 16) in ("jpeg quality 40", "noise deviation 0.1")
    with pytest.raises(ValidationError, match="dance"):
        report_of("editing", tmp_path, attacks=("dance",))


@pytest.mark.usefixtures("small_squares")
def test_detector_and_autoencoder_tables(tmp_path: Path) -> None:
    report = report_of("detector", tmp_path)
    by_budget = {(row["split"], row["budget"]): row for row in report["rows"]}
    assert by_budget["test", 16]["ratio_to_clean"] > by_budget["test", 0]["ratio_to_clean"] == 1
    assert json.loads((tmp_path / "detector_calibration.json").read_text())["photographs"] == 2


def test_what_is_found_is_more_where_there_is_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The other protections run with settings of their own, which are of a hundred steps.
    found_module = import_module("impress_ui.experiments.found")
    monkeypatch.setattr(found_module, "ProtectSettings", partial(ProtectSettings, steps=2))
    monkeypatch.setattr(found_module, "squares", lambda split, side, count: squares(split, 32, count))
    monkeypatch.setitem(QUICK_GLAZE, "steps", 2)  # it names no style, and has to be given one
    protect = {"steps": 8, "step_size": 8}
    report = report_of(
        "found", tmp_path, budgets=(4, 32), others=("sds-minus", "glaze"), protect=protect, photographs=1
    )
    rows = {(row["sign"], row["pictures"]): row for row in report["rows"]}
    found = [rows["found", name]["median"] for name in ("clean", "photoguard-encoder 4", "photoguard-encoder 32")]
    assert found == sorted(found) and rows["found", "photoguard-encoder 32"]["auc"] > 0.9
    assert {
        "adaptive, β 1000, 32",
        "sds-minus",
        "glaze",
        "photoguard-encoder 32, on another autoencoder",
        "noise 4",
    } <= {pictures for _, pictures in rows}
    assert {"found_roc_found.svg", "found_roc_round_trip.svg"} <= {file.name for file in tmp_path.iterdir()}
    assert set(json.loads((tmp_path / "found_calibration.json").read_text())) == {"found", "round trip"}


def test_an_unknown_experiment_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no experiment dance"):
        run_experiment("dance", find_experiment("detector").settings(), tmp_path, str)
    with pytest.raises(ValidationError, match="split"):
        report_of("detector", tmp_path, split="train")


def test_squares_are_cut_from_the_middle() -> None:
    whole, half = squares("test", 256, 1)[0], squares("test", 128, 1)[0]
    shrunk = whole.resize((128, 128))
    assert structural_similarity(np.asarray(half), np.asarray(shrunk), channel_axis=2) > 0.9
