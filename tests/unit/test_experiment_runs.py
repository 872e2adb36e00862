"""What every experiment's run promises: it goes on where it stopped, refuses other settings, and hides no failure."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from scipy.stats import sem

from impress_ui.errors import UserError
from impress_ui.experiments import runner
from impress_ui.experiments.charts import Bars, HeatMap, Lines, save_chart
from impress_ui.experiments.experiment import Experiment, Record, Run, Sheet, Unit, mean_and_error, means_of
from impress_ui.experiments.folder import RunFolder, first_difference
from impress_ui.experiments.named import purifiers_of
from impress_ui.experiments.processes import Processes
from impress_ui.experiments.runner import checkpoint_hashes
from impress_ui.experiments.settings import ExperimentSettings, RobustnessSettings
from impress_ui.experiments.table import find_experiment, run_experiment
from impress_ui.fields import sentence_of
from impress_ui.models.checksums import sha256
from impress_ui.models.residual_unet import ResidualUNet, save_residual_unet
from impress_ui.paths import EMBEDDED_CHECKPOINT
from impress_ui.settings import PurifySettings

ROOT = Path(__file__).resolve().parent.parent.parent
NOTHING: Callable[[str], None] = lambda text: None  # noqa: E731


class ToySettings(ExperimentSettings):
    experiment: Literal["toy"] = "toy"
    factor: float = 2.0
    groups: int = 3


class ToyPurified(ToySettings):
    purifiers: tuple[str, ...] = ()


def toy(before: Callable[[Unit], None]) -> Experiment:
    """Six units in three groups, whose figure is a product and a shared picture's first pixel."""

    def run(unit: Unit, run: Run[ToySettings]) -> list[Record]:
        before(unit)
        picture = run.picture(
            f"grey {unit.key['photograph']}", lambda: Image.new("RGB", (8, 8), (unit.facts["i"],) * 3)
        )
        return [{"figure": unit.facts["i"] * run.settings.factor, "pixel": picture.getpixel((0, 0))[0]}]

    return Experiment(
        "toy",
        "A toy.",
        ToySettings,
        units=lambda settings: [
            Unit({"photograph": f"p{i}", "row": row}, f"p{i}", {"i": i})
            for i in range(settings.groups)
            for row in ("a", "b")
        ],
        run=run,
        table=lambda settings, records: means_of(records, ("row",), ("figure", "pixel")),
        charts=lambda settings, rows, records: [Bars("bars", "Figures <of> it", "x", [("a & b", 1.0, 0.1)])],
        sheets=lambda run, rows: [Sheet("grey", ["one"], [[run.kept("grey p1") or Image.new("RGB", (8, 8))]])],
        extent=("groups",),
    )


def test_a_killed_run_goes_on_and_gives_the_same_table(tmp_path: Path) -> None:
    done: list[str] = []

    def killed(unit: Unit) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(unit.name)

    whole = runner.carry_out(toy(lambda unit: None), ToySettings(), tmp_path / "whole", NOTHING)
    with pytest.raises(KeyboardInterrupt):
        runner.carry_out(toy(killed), ToySettings(), tmp_path / "broken", NOTHING)
    (tmp_path / "broken/toy/units/half.json.123.new").write_text("{")  # what a kill in the middle of a file leaves
    rest: list[str] = []
    report = runner.carry_out(toy(lambda unit: rest.append(unit.name)), ToySettings(), tmp_path / "broken", NOTHING)
    assert len(rest) == 3 and not set(rest) & set(done)
    assert report is not None and whole is not None and report["records"] == whole["records"]
    for name in ("toy.csv", "toy_bars.svg", "toy_grey.png"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_what_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    def fails(unit: Unit) -> None:
        if unit.key == {"photograph": "p1", "row": "b"}:
            raise ZeroDivisionError("by <nothing>")

    report = runner.carry_out(toy(fails), ToySettings(), tmp_path, NOTHING)
    assert report is not None and len(report["records"]) == 5
    assert report["failed"] == [{"unit": "photograph p1, row b", "error": "ZeroDivisionError: by <nothing>"}]
    assert [row["photographs"] for row in report["rows"]] == [3, 2]
    page = (tmp_path / "toy.html").read_text()
    assert "1 unit failed and" in page and "by &lt;nothing&gt;" in page
    again: list[str] = []
    report = runner.carry_out(toy(lambda unit: again.append(unit.name)), ToySettings(), tmp_path, NOTHING)
    assert again == ["photograph p1, row b"] and report is not None and not report["failed"]
    assert "failed and" not in (tmp_path / "toy.html").read_text()
    with pytest.raises(UserError, match="Nothing of toy could be done: ZeroDivisionError"):
        runner.carry_out(toy(lambda unit: 1 / 0), ToySettings(), tmp_path / "all", NOTHING)  # type: ignore[arg-type]


def test_a_folder_of_other_weights_of_ones_own_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    words = (f"learned learned_weights={mine}", f"jpeg 40, then learned learned_weights={mine}")
    torch.manual_seed(0)
    save_residual_unet(ResidualUNet(), mine)
    for number, purifier in enumerate(words):
        settings = ToyPurified(purifiers=(purifier,))
        runner.carry_out(toy(lambda unit: None), settings, tmp_path / str(number), NOTHING)
    kept = json.loads((tmp_path / "0/toy/run.json").read_text())["checkpoints"]
    assert set(kept) == {"embedded", runner.OWN_FILES} and kept[runner.OWN_FILES] == {str(mine): sha256(mine)}
    save_residual_unet(ResidualUNet(), mine)
    for number, purifier in enumerate(words):
        with pytest.raises(UserError, match=r"checkpoints\.files of the purifiers.*mine\.safetensors is "):
            settings = ToyPurified(purifiers=(purifier,), groups=4)
            runner.carry_out(toy(lambda unit: None), settings, tmp_path / str(number), NOTHING)


def test_a_setting_that_a_folder_does_not_know_yet_had_its_default(tmp_path: Path) -> None:
    before = runner.carry_out(toy(lambda unit: None), ToySettings(), tmp_path, NOTHING)
    kept = json.loads((tmp_path / "toy/run.json").read_text())
    del kept["settings"]["factor"], kept["settings"]["purify"]["alpha"]
    (tmp_path / "toy/run.json").write_text(json.dumps(kept))
    done: list[str] = []
    after = runner.carry_out(toy(lambda unit: done.append(unit.name)), ToySettings(), tmp_path, NOTHING)
    assert not done and before is not None and after is not None and after["records"] == before["records"]
    with pytest.raises(UserError, match=r"settings\.factor is 2\.0 there and 3\.0 now"):
        runner.carry_out(toy(lambda unit: None), ToySettings(factor=3), tmp_path, NOTHING)


def test_a_folder_of_other_settings_is_refused_by_name(tmp_path: Path) -> None:
    runner.carry_out(toy(lambda unit: None), ToySettings(), tmp_path, NOTHING)
    with pytest.raises(UserError, match=r"settings\.factor is 2\.0 there and 3\.0 now"):
        runner.carry_out(toy(lambda unit: None), ToySettings(factor=3), tmp_path, NOTHING)
    with pytest.raises(UserError, match=r"settings\.run\.seed is 0 there and 1 now"):
        runner.carry_out(toy(lambda unit: None), ToySettings(run={"seed": 1}), tmp_path, NOTHING)
    (tmp_path / "toy/run.json").write_text("no")
    with pytest.raises(UserError, match="cannot be read"):
        runner.carry_out(toy(lambda unit: None), ToySettings(), tmp_path, NOTHING)


def test_a_run_goes_on_with_more_units_and_reports_those_that_were_asked_for(tmp_path: Path) -> None:
    done: list[str] = []
    for groups, new in ((2, 4), (3, 2), (1, 0)):
        done.clear()
        settings = ToySettings(groups=groups)
        report = runner.carry_out(toy(lambda unit: done.append(unit.name)), settings, tmp_path, NOTHING)
        assert report is not None and len(report["records"]) == 2 * groups and len(done) == new
        assert json.loads((tmp_path / "toy_settings.json").read_text())["groups"] == groups


def test_the_first_difference_is_found_wherever_it_is() -> None:
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 1}}) == ""
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 1, "c": None, "d": 2}}) == "a.d is null there and 2 now"
    assert first_difference({"a": True}, {"a": 1})  # equal in Python, not in a file


def test_pictures_are_kept_losslessly_and_made_once(tmp_path: Path) -> None:
    noise = [Image.fromarray(np.random.default_rng(i).integers(0, 256, (9, 7, 3), dtype=np.uint8)) for i in range(3)]
    folder, calls = RunFolder(tmp_path, {}), []
    for _ in range(2):
        kept = folder.pictures("a key: with/odd characters", lambda: calls.append(1) or noise)
        assert [image.tobytes() for image in kept] == [image.tobytes() for image in noise]
    assert calls == [1] and folder.kept_pictures("another") is None
    keys = [f"{'x' * 200} {i}" for i in range(2)]  # longer than a file's name may be
    for i, key in enumerate(keys):
        folder.keep(key, [{"i": i}])
    assert [folder.records(key) for key in keys] == [[{"i": 0}], [{"i": 1}]]


def test_units_of_a_group_stay_in_one_process() -> None:
    groups = [["a1", "a2"], ["b1"], ["c1", "c2"]]
    for count in (1, 2, 5):
        shares = [Processes(index, count).own(groups) for index in range(count)]
        assert sorted(group for share in shares for group in share) == groups
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_means_and_their_errors_are_those_of_scipy() -> None:
    values = [0.3, 1.7, 2.2, -4.0]
    mean, error = mean_and_error([*values, None])
    assert mean == pytest.approx(np.mean(values)) and error == pytest.approx(sem(values))
    assert mean_and_error([None]) == (None, None) and mean_and_error([2.0]) == (2.0, None)
    records = [{"row": row, "x": x} for row, x in (("b", 1.0), ("a", 5.0), ("b", 3.0))]
    assert means_of(records, ("row",), ("x",)) == [
        {"row": "b", "photographs": 2, "x": 2.0, "x_se": pytest.approx(1.0)},
        {"row": "a", "photographs": 1, "x": 5.0, "x_se": None},
    ]


def test_the_report_needs_nothing_else(tmp_path: Path) -> None:
    runner.carry_out(toy(lambda unit: None), ToySettings(factor=3), tmp_path, NOTHING)
    page = (tmp_path / "toy.html").read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page) and "url(http" not in page
    assert "<svg" in page and "data:image/png;base64," in page and "Figures &lt;of&gt; it" in page
    assert "factor: 3.0" in page and "torch" in page
    weights = EMBEDDED_CHECKPOINT / "vae/diffusion_pytorch_model.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in page
    with (tmp_path / "toy.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["photograph"], row["row"], row["figure"]) for row in rows][2:4] == [
        ("p1", "a", "3.0"),
        ("p1", "b", "3.0"),
    ]
    saved = json.loads((tmp_path / "toy_settings.json").read_text())
    assert ToySettings.model_validate(saved) == ToySettings(factor=3)


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        (
            "robustness",
            {"purifiers": ["jpeg 40", "learned learned_weights=/nope.safetensors"]},
            "no file of a purifier",
        ),
        ("arms-race", {"purifiers": ["jpeg 40, then pixel-diffusion"]}, "needs a model"),
        ("adaptive", {"purify": {"method": "noisy-upscaling"}}, "needs an upscaler"),
        ("ablation", {"vary": {"purify.method": ["jpeg", "pixel-diffusion"]}}, "needs a model"),
    ],
)
def test_a_purifier_that_cannot_run_is_refused_before_anything_is_done(
    name: str, given: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    settings = find_experiment(name).settings.model_validate({"run": {"size": 64, "device": "cpu"}, **given})
    with pytest.raises(UserError, match=sentence):
        run_experiment(name, settings, tmp_path / "out", NOTHING)
    assert not (tmp_path / "out").exists()
    unused = RobustnessSettings(purifiers=("fast",), purify={"method": "pixel-diffusion"})  # which does not run
    assert purifiers_of(unused) == [PurifySettings()]


def test_more_edits_than_there_are_seeds_are_refused(tmp_path: Path) -> None:
    largest = {"run": {"seed": 2**31 - 2}}
    assert RobustnessSettings.model_validate({**largest, "edit_seeds": 2}).edit_seeds == 2
    with pytest.raises(ValidationError) as refused:
        RobustnessSettings.model_validate({**largest, "edit_seeds": 3})
    assert sentence_of(refused.value) == "The seeds of the edits go up to 2147483648, beyond the largest, 2147483647."
    settings = ToySettings()
    with pytest.raises(UserError, match=r"Nothing of toy could be done: The setting run\.seed is not valid: .*[^.]\.$"):
        runner.carry_out(toy(lambda unit: settings.updated(run={"seed": -2})), settings, tmp_path, NOTHING)


def test_hashes_follow_the_parts(tmp_path: Path) -> None:
    hashes = checkpoint_hashes({"embedded": ("vae", "unet")})["embedded"]
    assert [name.split("/")[0] for name in hashes] == ["vae", "unet"] and len(set(hashes.values())) == 2
    with pytest.raises(UserError, match="no checkpoint"):
        checkpoint_hashes({str(tmp_path / "missing"): ("vae",)})


def test_charts_say_what_they_show(tmp_path: Path) -> None:
    lines = {"first": [(1, 0.5, 0.1), (2, 0.6, None)], "second": [(1, 0.2, 0.0)]}
    charts = [
        Lines("lines", "Title", "along", "up", lines, percent=True, log_x=True),
        Bars("bars", "Title", "up", [("one", 0.5, None), ("two", 0.7, 0.1)]),
        HeatMap("map", "Title", "along", "up", [1, 2], ["a", "b"], [[0.25, None], [1.0, 0.5]], ".0%"),
    ]
    words = [("first", "second", "along", "up", "50%"), ("one", "two", "up"), ("25%", "100%", "along", "up")]
    for chart, expected in zip(charts, words, strict=True):
        for name in ("one.svg", "two.svg"):
            save_chart(chart, tmp_path / name)
        text = (tmp_path / "one.svg").read_text()
        assert all(f">{word}<" in text for word in ("Title", *expected)), (chart, expected)
        assert text == (tmp_path / "two.svg").read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_give_the_table_of_one(tmp_path: Path) -> None:
    command = [
        "-m", "impress_ui", "experiment", "robustness", "--size", "64", "--photographs", "3", "--device", "cpu",
        "--set", "budgets=[4, 16]", "--set", "purifiers=[jpeg 40]", "--set", "protect.steps=3", "--json", "-o",
    ]  # fmt: skip
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launcher += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    logs = {}
    for name, start in (("one", [sys.executable]), ("two", launcher)):
        done = subprocess.run(
            [*start, *command, str(tmp_path / name)], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        logs[name] = done.stderr
        assert json.loads(done.stdout)["experiment"] == "robustness"  # one object, from one of the processes
    assert "[1/12]" in logs["one"] and "[1/8]" in logs["two"] and "[1/4]" in logs["two"]
    for file in ("robustness.csv", "robustness_left.svg", "robustness_at_16.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
