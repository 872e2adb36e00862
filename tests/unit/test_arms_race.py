"""The arms race of protections and purifiers: its table, its intervals, its threshold, and protections in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from impress_ui.experiments.arms_race import threshold
from impress_ui.experiments.experiment import interval
from impress_ui.experiments.left import LEAST, LEAST_BY
from impress_ui.experiments.settings import ArmsRaceSettings
from impress_ui.experiments.table import NAMES, find_experiment, run_experiment
from impress_ui.settings.protect import protection_of

QUICK = {"run": {"size": 64, "device": "cpu"}}


@pytest.mark.usefixtures("small_squares")
def test_the_arms_race_names_the_least_that_is_left_of_each_protection(tmp_path: Path) -> None:
    protections = ["photoguard-encoder steps=3", "photoguard-encoder steps=3 budget=4 robust_to=jpeg+blur"]
    settings = ArmsRaceSettings.model_validate(
        {"run": QUICK["run"], "photographs": 2, "protections": protections, "purifiers": ["jpeg 20", "blur"],
         "edit": {"sampling_steps": 2}}
    )  # fmt: skip
    report = run_experiment("arms-race", settings, tmp_path, lambda text: None)
    assert report is not None and not report["failed"]
    rows = {(row["protection"], row["purifier"]): row for row in report["rows"]}
    assert list(rows) == [
        (made, name) for made in protections for name in ("none", "jpeg 20", "blur 1", *LEAST_BY.values())
    ]
    none, jpeg, least = (rows[protections[0], name] for name in ("none", "jpeg 20", LEAST))
    assert none["left"] == none["by_edit"] == 1 and none["after"] == none["strength"] and none["seconds"] > 0
    assert jpeg["left_low"] is jpeg["left_high"] is none["twin"] is None and jpeg["left_se"] > 0
    assert least["left"] <= min(jpeg["left"], rows[protections[0], "blur 1"]["left"]) and least["by"]
    assert rows[protections[1], "none"]["strength"] < none["strength"]

    pictures = {}
    for kind in ("twin", "purified"):
        pictures[kind] = sum(path.name.startswith(kind) for path in (tmp_path / "arms-race/pictures").iterdir())
    assert pictures == {"twin": 4, "purified": 8}  # one twin for both protections of a photograph


def test_the_least_of_one_purifier_is_no_row_of_its_own() -> None:
    for name, column, value in (("arms-race", "protection", "mist-textural"), ("robustness", "budget", 8)):
        experiment = find_experiment(name)
        for purifiers, least in ((["jpeg 20"], []), (["jpeg 20", "blur 1"], [LEAST, LEAST_BY["twin"]])):
            given = {f"{column}s": [value], "purifiers": purifiers, "edits": False}
            settings = experiment.settings.model_validate(given)
            records = [
                {"photograph": "a", column: value, "purifier": purifier, "left": 0.5, "twin": 0.5, "by_edit": None}
                for purifier in ("none", *purifiers)
            ]
            rows = experiment.table(settings, records)
            assert [row["purifier"] for row in rows] == ["none", *purifiers, *least]
            charts = [repr(chart).replace("\\n", " ") for chart in experiment.charts(settings, rows, records)]
            assert any(LEAST in chart for chart in charts) == bool(least)


def test_a_threshold_tells_two_kinds_apart_as_well_as_can_be() -> None:
    assert threshold([(0.1, False), (0.2, False), (0.5, True), (0.9, True)]) == (0.5, 1.0)
    at, right = threshold([(0.1, False), (0.3, True), (0.4, False), (0.5, True)])
    assert (at, right) == (0.3, 0.75)
    assert threshold([(0.1, True)]) == (None, None) == threshold([])


def test_an_interval_is_scipys_and_holds_the_mean() -> None:
    values = [0.1, 0.4, None, 0.35, 0.8, 0.62]
    low, high = interval(values)
    assert 0.1 < low < 0.454 < high < 0.8 and interval(values) == (low, high)
    low, high = interval([0.1, 0.4, 0.35, 0.8])
    assert 0.1 < low < 0.4125 < high < 0.8
    assert interval([0.3, 0.4, 0.2, None]) == interval([]) == (None, None)


@pytest.mark.parametrize("name", NAMES)
def test_usual_settings_are_those_that_a_folder_knows_again(name: str) -> None:
    model = find_experiment(name).settings
    written = model().model_dump(mode="json")
    assert model.model_validate(written).model_dump(mode="json") == written


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("mist", "there is no protection mist"),
        ("glaze budget=3", "glaze has no setting named budget"),
        ("photoguard-encoder robust_to=steam", "robust_to"),
        ("photoguard-encoder steps=0", "steps"),
    ],
)
def test_protections_in_words(words: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ArmsRaceSettings.model_validate({"protections": [words]})
    made = protection_of("photoguard-encoder budget=8 robust_to=jpeg+blur random_start=no")
    assert (made.budget, made.robust_to, made.random_start) == (8, ("jpeg", "blur"), False)
