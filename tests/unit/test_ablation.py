"""The ablation and the robustness experiment: their settings files, their figures against others', their tables."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from scipy.stats import spearmanr
from typer.testing import CliRunner

from impress_ui.__main__ import app
from impress_ui.errors import UserError
from impress_ui.experiments.ablation import AS_SET, rank_correlation, units
from impress_ui.experiments.complexity import complexity_of
from impress_ui.experiments.found import UNTOUCHED
from impress_ui.experiments.grid import AblationSettings
from impress_ui.experiments.left import LEAST, LEAST_BY
from impress_ui.experiments.settings import RobustnessSettings
from impress_ui.experiments.table import NAMES, find_experiment, run_experiment
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import square
from impress_ui.settings import sentence_of

QUICK = {"run": {"size": 64, "device": "cpu"}, "protect": {"steps": 2}}


def test_a_grid_a_list_and_one_at_a_time() -> None:
    vary = {"protect.budget": [4, 16], "purify.alpha": {"from": 0.1, "to": 0.3, "count": 3}}
    grid = AblationSettings(vary=vary).grid
    assert len(grid) == 6 and grid[1] == {"protect.budget": 4, "purify.alpha": pytest.approx(0.2)}
    alone = AblationSettings(vary=vary, design="one-at-a-time", photographs=1)
    assert [len(cell) for cell in alone.grid] == [1] * 5
    assert units(alone)[0].key["purify.alpha"] == AS_SET
    cells = [{"protect.budget": 4}, {"purify.method": "jpeg", "purify.jpeg_quality": 30}]
    assert AblationSettings(cells=cells).grid == cells


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"vary": {"protect.budgte": [1]}}, "no setting protect.budgte"),
        ({"vary": {"protect.budget": [1000]}}, "budget"),
        ({"vary": {"purify.jpeg_quality": [10]}}, "has no setting JPEG quality"),
        ({"vary": {}}, "at least one setting"),
        ({"vary": {"purify.alpha": {"from": 3, "to": 1}}}, "cannot go from 3 to 1"),
        ({"experiment": "editing"}, "experiment"),
        ({"photos": 3}, "no setting named photos"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(wrong: dict, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AblationSettings.model_validate(wrong)
    told = sentence_of(caught.value)
    assert sentence in told and told.count(".") <= told.rstrip(".").count(".") + 1 and "\n" not in told


def test_complexity_of_pictures_that_one_can_reckon() -> None:
    flat = Image.new("RGB", (32, 32), (90, 90, 90))
    assert complexity_of(flat) == {"entropy": pytest.approx(0, abs=1e-9), "edges": pytest.approx(0, abs=1e-9)}
    halves = np.zeros((32, 32, 3), np.uint8)
    halves[:, 16:] = 255
    assert complexity_of(Image.fromarray(halves))["entropy"] == pytest.approx(1)  # two levels, equally often
    levels = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    assert complexity_of(Image.fromarray(levels))["entropy"] == pytest.approx(8)
    assert complexity_of(Image.fromarray(halves))["edges"] > 0.01


def test_rank_correlation_is_scipys_and_keeps_quiet_about_few() -> None:
    pairs = [(1.0, 0.2), (2.0, 0.1), (3.0, 0.9), (4.0, 0.5), (5.0, None)]
    expected = spearmanr([1, 2, 3, 4], [0.2, 0.1, 0.9, 0.5]).statistic
    assert rank_correlation(pairs) == pytest.approx(expected)
    assert rank_correlation(pairs[:3]) is None and rank_correlation([(1.0, 0.5)] * 5) is None


@pytest.mark.usefixtures("small_squares")
def test_ablation_table(tmp_path: Path) -> None:
    settings = AblationSettings.model_validate(
        {
            **QUICK, "photographs": 2, "purify": {"method": "jpeg"},
            "vary": {"protect.budget": [4, 16], "purify.jpeg_quality": [10, 90]},
        }
    )  # fmt: skip
    report = run_experiment("ablation", settings, tmp_path, lambda text: None)
    assert report is not None and not report["failed"]
    rows = {(row["protect.budget"], row["purify.jpeg_quality"]): row for row in report["rows"]}
    assert list(rows) == [(4, 10), (4, 90), (16, 10), (16, 90)] and all(
        row["photographs"] == 2 for row in rows.values()
    )
    assert rows[16, 90]["strength"] == rows[16, 10]["strength"] > rows[4, 10]["strength"]
    assert rows[4, 90]["lpips"] < rows[4, 10]["lpips"]  # the gentler JPEG loses less
    kept = list((tmp_path / "ablation/pictures").glob("protected*"))
    assert len(kept) == 4  # two photographs at two budgets: cells that differ in the purifier alone share one
    for name in ("map_left.svg", "protect_budget_strength.svg", "complexity.svg", "pictures.png"):
        assert (tmp_path / f"ablation_{name}").stat().st_size > 1000


@pytest.mark.usefixtures("small_squares")
def test_robustness_figures_are_what_they_are_called(tmp_path: Path, embedded: Autoencoder) -> None:
    settings = RobustnessSettings.model_validate(
        {
            **QUICK,
            "photographs": 1,
            "budgets": [4, 32],
            "purifiers": ["jpeg 20", "as-set"],
            "purify": {"method": "blur"},
            "untouched": True,
        }
    )
    report = run_experiment("robustness", settings, tmp_path, lambda text: None)
    assert report is not None and not report["failed"]
    rows = {(row["budget"], row["purifier"]): row for row in report["rows"]}
    untouched = [(kind, name) for kind in UNTOUCHED for name in ("none", "jpeg 20", "as-set")]
    ways = ("none", "jpeg 20", "as-set", LEAST, LEAST_BY["twin"])
    assert list(rows) == [*untouched, *((budget, name) for budget in (4, 32) for name in ways)]
    damage = {key: (rows[key]["after"], rows[key]["lpips"], rows[key]["left"]) for key in untouched}
    assert damage["clean", "none"] == damage["noise 4", "none"] == (0, 0, None) and damage["clean", "jpeg 20"][0] > 0.01
    assert rows[32, LEAST]["left"] == min(rows[32, name]["left"] for name in ("jpeg 20", "as-set"))
    assert sum(report["left_least"].values()) == 2
    none = rows[32, "none"]
    assert none["left"] == 1 and none["after"] == none["strength"] > rows[4, "none"]["strength"]
    others = [f"badlands3-{kind.replace(' ', '-')}" for kind in UNTOUCHED]
    made = (tmp_path / "robustness/pictures").glob("purified*jpeg*")
    with Image.open(next(file for file in made if not any(name in file.name for name in others))) as image:
        purified = image.convert("RGB")
    latents = [embedded.encode(to_tensor(x)) for x in (purified, square("badlands3", "test", 32))]
    distance = ((latents[0] - latents[1]).norm() / latents[1].norm()).item()
    seen = [rows[budget, "jpeg 20"]["after"] for budget in (4, 32)]
    assert any(math.isclose(distance, value, rel_tol=1e-4) for value in seen)
    row = rows[32, "jpeg 20"]
    assert row["left"] == pytest.approx(row["after"] / row["strength"])


def test_one_settings_file_and_options_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list = []
    monkeypatch.setattr(
        "impress_ui.experiments.table.run_experiment", lambda name, settings, output, log: got.append((name, settings))
    )
    file = tmp_path / "run.yaml"
    file.write_text("photographs: 3\nprotect: {budget: 9, steps: 7}\nvary:\n  purify.alpha: [0.1, 0.2]\n")
    command = ["experiment", "ablation", "--settings", str(file), "--seed", "5"]
    more = ["--vary", "protect.budget=8, 12", "--vary", "purify.delta={from: 0, to: 1, count: 3}"]
    for arguments in (command, [*command, "--photographs", "1", "--set", "protect.steps=11", *more]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    (_, first), (_, second) = got
    assert (first.photographs, first.protect.budget, first.protect.steps, first.run.seed) == (3, 9, 7, 5)
    assert first.vary == {"purify.alpha": (0.1, 0.2)}
    assert (second.photographs, second.protect.steps, second.protect.budget) == (1, 11, 9)
    assert len(second.grid) == 6 and second.grid[-1] == {"protect.budget": 12, "purify.delta": 1}
    for wrong, error in (
        (["--set", "nothing"], UserError),
        (["--set", "protect.nothing=1"], ValidationError),
        (["--artists", "3"], ValidationError),
    ):
        result = CliRunner().invoke(app, [*command, *wrong])
        assert isinstance(result.exception, error), wrong
    file.write_text("a: [")
    assert isinstance(CliRunner().invoke(app, command).exception, UserError)


def test_every_experiment_reads_a_file_of_the_other_commands(tmp_path: Path) -> None:
    job = json.loads(AblationSettings.model_validate(QUICK).job.model_dump_json())
    for name in NAMES:
        assert find_experiment(name).settings.model_validate(job).run.size == 64, name
