"""The stress test: its shares, its ranking, its words and its files."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from impress_ui.charts import stress as stress_chart
from impress_ui.errors import UserError
from impress_ui.jobs.saving import save_stress
from impress_ui.jobs.stress import StressTest
from impress_ui.jobs.stress_verdict import verdict
from impress_ui.measures.stress_rows import ORIGINAL, PROTECTED, StressRow, share_left
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.methods.purifiers.purifier import at_once
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import save_png, to_images, to_tensor
from impress_ui.settings import JobSettings, ProtectSettings, PurifySettings, StressSettings, purifier_of
from tests.unit.test_cli import run, run_json

FEW = "jpeg 40, blur 3, fast 2, jpeg 20 then blur 0.5"


def job_of(purifiers: str, **sections: dict) -> JobSettings:
    return JobSettings.model_validate({"stress": {"purifiers": purifiers}, **sections})


@pytest.fixture(scope="module")
def scene(embedded: Autoencoder, little: list[Image.Image]) -> tuple[Image.Image, Image.Image]:
    """(original, protected), 32 pixels square."""
    result = run_to_end(protect(to_tensor(little[0]), ProtectSettings(steps=12), embedded)).result
    return little[0], to_images(result)[0]


@pytest.fixture(scope="module")
def done(scene: tuple[Image.Image, Image.Image]) -> StressTest:
    test = StressTest(scene[1], job_of(FEW), scene[0])
    steps = list(test.run())
    assert steps[-1].seconds_left == pytest.approx(0, abs=1e-6) and not steps[-1].stopped
    assert test.expected is not None and test.expected > 0
    told = next(step for step in steps if step.seconds_left is not None)
    assert told.number == 0 and told.seconds_left == test.expected  # the cost comes before the first purifier
    return test


@pytest.mark.parametrize(
    ("value", "protected", "clean", "share"),
    [(0.8, 0.8, 0.0, 1.0), (0.0, 0.8, 0.0, 0.0), (0.2, 0.8, 0.0, 0.25), (1.6, 0.8, 0.0, 2.0), (0.3, 0.5, 0.1, 0.5),
     (0.05, 0.5, 0.1, 0.0), (0.3, 0.1, 0.1, None), (None, 0.5, 0.0, None), (0.3, None, 0.0, None)],
)  # fmt: skip
def test_the_share_left(value: float, protected: float, clean: float, share: float | None) -> None:
    assert share_left(value, protected, clean, 1e-3) == (None if share is None else pytest.approx(share))


def test_the_protected_picture_keeps_all_and_the_original_nothing(done: StressTest) -> None:
    rows = {row.name: row for row in done.rows}
    assert rows[PROTECTED].left == {"latent": 1.0, "edit": None, "twin": None, "round_trip": 1.0}
    assert rows[ORIGINAL].left == {"latent": 0.0, "edit": None, "twin": None, "round_trip": 0.0}
    assert rows[PROTECTED].against_protected == {"lpips": 0, "ssim": 1}
    assert rows[ORIGINAL].picture_lost == 0 and rows[PROTECTED].picture_lost > 0


def test_shares_are_the_latents_own(
    done: StressTest, scene: tuple[Image.Image, Image.Image], embedded: Autoencoder
) -> None:
    row = next(row for row in done.rows if row.name == "jpeg 40")
    original, protected, purified = (
        embedded.encode(to_tensor(image)).detach().double().flatten() for image in (*scene, row.image)
    )
    expected = (purified - original).norm() / (protected - original).norm()
    assert row.protection_left == pytest.approx(expected.item(), rel=1e-4)


def test_a_purifier_that_gives_the_original_back_leaves_nothing(
    scene: tuple[Image.Image, Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PURIFIERS, "jpeg", replace(PURIFIERS["jpeg"], run=at_once(lambda x, *_: to_tensor(scene[0]))))
    monkeypatch.setitem(PURIFIERS, "blur", replace(PURIFIERS["blur"], run=at_once(lambda x, *_: x)))
    test = StressTest(scene[1], job_of("blur 1, jpeg 40"), scene[0])
    list(test.run())
    first, second = test.ranking
    assert (first.name, first.protection_left, first.picture_lost) == ("jpeg 40", 0, 0)
    assert (second.name, second.protection_left) == ("blur 1", 1)
    assert test.unbeaten == {"jpeg 40"} and "does not hold: jpeg 40 leaves 0%" in verdict(test)


def test_the_ranking_and_the_unbeaten(done: StressTest) -> None:
    ranking = done.ranking
    assert [row.name for row in ranking] == sorted((row.name for row in ranking), key=lambda name: next(
        row.protection_left for row in ranking if row.name == name))  # fmt: skip
    assert {row.name for row in ranking} == set(done.job.stress.purifiers)
    points = {row.name: (row.protection_left, row.picture_lost) for row in ranking}
    for name, (left, lost) in points.items():
        beaten = any(l <= left and c <= lost and (l, c) != (left, lost) for l, c in points.values())  # noqa: E741
        assert beaten == (name not in done.unbeaten)


def test_without_the_original_the_round_trip_speaks(scene: tuple[Image.Image, Image.Image]) -> None:
    test = StressTest(scene[1], job_of("jpeg 40"))
    list(test.run())
    (row,) = test.ranking
    assert row.values["latent"] is None and row.against_original is None
    assert row.protection_left == row.left["round_trip"] and 0 <= row.protection_left < 1
    assert row.picture_lost == row.against_protected["lpips"]
    assert "original is unknown" in verdict(test)


def test_a_picture_without_a_protection_has_none_to_lose(scene: tuple[Image.Image, Image.Image]) -> None:
    test = StressTest(scene[0], job_of("jpeg 40"), scene[0])
    list(test.run())
    assert test.ranking[0].protection_left is None and "nothing to take away" in verdict(test)
    assert not test.unbeaten


def test_edits_are_measured_where_they_are_wanted(scene: tuple[Image.Image, Image.Image]) -> None:
    stress = {"purifiers": "jpeg 40", "edits": True}
    test = StressTest(scene[1], JobSettings.model_validate({"stress": stress, "edit": {"sampling_steps": 4}}), scene[0])
    list(test.run())
    lefts = {row.name: row.left["edit"] for row in test.rows}
    assert lefts[PROTECTED] == 1 and lefts[ORIGINAL] == 0 and lefts["jpeg 40"] > 0
    assert "By the edits jpeg 40 does best" in verdict(test)
    with pytest.raises(UserError, match="give the original"):
        StressTest(scene[1], test.job)


def test_a_twin_tells_damage_from_protection(
    scene: tuple[Image.Image, Image.Image], embedded: Autoencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A purifier that draws the same flat picture whatever it gets destroys much, and leaves nothing of the protection.
    monkeypatch.setitem(PURIFIERS, "blur", replace(PURIFIERS["blur"], run=at_once(lambda x, *_: 0 * x)))
    job = JobSettings.model_validate({"stress": {"purifiers": "blur 1, median 1", "twins": True}})
    test = StressTest(scene[1], job, scene[0])
    steps = list(test.run())
    assert not steps[-1].stopped
    rows = {row.name: row for row in test.rows}
    assert rows[PROTECTED].left["twin"] == 1 and rows[ORIGINAL].left["twin"] == 0
    assert rows["blur 1"].left["twin"] == 0 and rows["blur 1"].left["latent"] > 0.5
    twin = run_to_end(PURIFIERS["median"].run(to_tensor(scene[0]), purifier_of("median 1"), None)).result  # type: ignore[arg-type]
    images = (scene[0], scene[1], rows["median 1"].image, to_images(twin)[0])
    clean, protected, purified, alike = (embedded.encode(to_tensor(image)).detach().flatten() for image in images)
    expected = (purified - alike).norm() / (protected - clean).norm()
    assert rows["median 1"].left["twin"] == pytest.approx(expected.item(), rel=1e-4)


def test_sizes_must_agree_and_something_must_be_run(scene: tuple[Image.Image, Image.Image]) -> None:
    with pytest.raises(UserError, match="no purifier to run"):
        StressTest(scene[1], job_of(""), scene[0])
    with pytest.raises(UserError, match="of one size"):
        StressTest(scene[1], JobSettings(), scene[0].resize((48, 64)))


def test_stop_keeps_what_is_done(scene: tuple[Image.Image, Image.Image], tmp_path: Path) -> None:
    test = StressTest(scene[1], job_of("jpeg 40, fast 900"), scene[0])
    steps = []
    for step in test.run(lambda: bool(steps) and steps[-1].phase == "fast 900" and steps[-1].index >= 1):
        steps.append(step)
    assert steps[-1].stopped and [row.name for row in test.ranking] == ["jpeg 40"]
    assert verdict(test, stopped=True).startswith("Of 2 purifiers 1 were run.")
    save_stress(test, tmp_path, stopped=True)
    assert json.loads((tmp_path / "stress.json").read_text())["stopped"] is True


def test_estimates_grow_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impress_ui.measures.costs.PACE", {})
    from impress_ui.measures import costs

    assert costs.expected_seconds(PurifySettings(), (64, 64)) is None
    assert costs.expected_seconds(purifier_of("jpeg"), (64, 64)) == 0
    costs.remember(PurifySettings(steps=9), (64, 64), 5.0)
    assert costs.expected_seconds(PurifySettings(steps=9), (64, 64)) == pytest.approx(5)
    assert costs.expected_seconds(PurifySettings(steps=19), (128, 64)) == pytest.approx(20)
    assert costs.expected_seconds(purifier_of("jpeg then fast 9"), (64, 64)) == pytest.approx(5)
    assert costs.expected_seconds(purifier_of("fast variable=pixels"), (64, 64)) is None


# --- words and pictures ------------------------------------------------------------------------------------


@dataclass
class Told:
    """A test as the verdict and the chart see it."""

    ranking: list[StressRow]
    baseline: list[StressRow]
    unbeaten: set[str] = field(default_factory=set)
    job: JobSettings = field(default_factory=JobSettings)
    original: object = None


def row(name: str, left: float | None, lost: float, latent: float = 0.7) -> StressRow:
    picture = Image.new("RGB", (32, 32))
    values = {"latent": latent, "edit": None, "twin": None, "round_trip": 0.1}
    shares = {"latent": left, "edit": None, "twin": None, "round_trip": left}
    return StressRow(name, picture, values, shares, {"lpips": lost, "ssim": 0.9}, {"lpips": lost, "ssim": 0.9})


@pytest.mark.parametrize(
    ("ranking", "sentence"),
    [
        ([row("fast", 0.38, 0.1), row("jpeg 40", 0.6, 0.2)], "does not hold: fast leaves 38% of it, and its"),
        ([row("fast", 0.6, 0.25)], "is weakened: fast leaves 60% of it, and its picture is farther from"),
        ([row("jpeg 5", 0.2, 0.6), row("fast", 0.9, 0.1)], "holds: fast leaves 90%"),
        ([row("jpeg 5", 0.2, 0.6), row("fast", 0.9, 0.1)], "Jpeg 5 leaves 20%, but the picture suffers (LPIPS 0.60)"),
        ([row("jpeg 5", 0.2, 0.6)], "costs the picture more than LPIPS 0.30"),
        ([row("fast", None, 0.1)], "nothing to take away"),
        ([], "nothing can be said"),
    ],
)  # fmt: skip
def test_the_verdict_says_what_the_rows_say(ranking: list[StressRow], sentence: str) -> None:
    told = verdict(Told(ranking, [row(PROTECTED, 1, 0.18), row(ORIGINAL, 0, 0)]))  # type: ignore[arg-type]
    assert sentence in told


def test_a_faint_protection_is_called_so() -> None:
    told = Told([row("fast", 0.4, 0.1)], [row(PROTECTED, 1, 0.05, latent=0.04), row(ORIGINAL, 0, 0, latent=0)])
    assert "faint to begin with: it moves the latent by 4% only" in verdict(told)  # type: ignore[arg-type]


def test_the_scatter_shows_every_row_and_hides_none() -> None:
    rows = [row(f"jpeg {number}", 0.5 + 0.001 * number, 0.2) for number in range(12)] + [row("fast", 0.1, 0.9)]
    test = Told(rows, [row(PROTECTED, 1, 0.18), row(ORIGINAL, 0, 0)], {"fast"})
    tree = ElementTree.fromstring(stress_chart.scatter(test, alone=True))  # type: ignore[arg-type]
    space = "{http://www.w3.org/2000/svg}"
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in tree.iter(f"{space}circle")]
    assert len(circles) == len(rows) + 2
    for number, a in enumerate(circles):
        assert all(math.dist(a, b) >= 2 * stress_chart.RADIUS - 1 for b in circles[:number])
    last, protected = circles[-1], circles[0]
    assert last[0] > protected[0] and last[1] > protected[1]  # more of the picture lost, less of the protection left
    assert sum("unbeaten" in (g.get("class") or "") for g in tree.iter(f"{space}g")) == 1


# --- the command -------------------------------------------------------------------------------------------


def test_the_command(
    capsys: pytest.CaptureFixture[str], scene: tuple[Image.Image, Image.Image], tmp_path: Path
) -> None:
    original, protected = (save_png(image, tmp_path / f"{n}.png") for n, image in zip("op", scene, strict=True))
    out = tmp_path / "out"
    report = run_json(
        capsys, "stress", protected, "--original", original, "--purifiers", "jpeg 40, as-set", "-o", out, "--size", 64,
        "--settings", _settings(tmp_path, {"purify": {"method": "blur", "blur_sigma": 2}}),
    )  # fmt: skip
    assert [row["rank"] for row in report["ranking"]] == [1, 2]
    assert {row["name"] for row in report["ranking"]} == {"jpeg 40", "as-set"}
    assert report["given"][0]["protection_left"] == 1 and "protection" in report["verdict"]
    with (out / "stress.csv").open() as stream:
        assert [line["name"] for line in csv.DictReader(stream)][:2] == [PROTECTED, ORIGINAL]
    assert {"sheet.png", "scatter.svg", "jpeg-40.png", "as-set.png"} <= {path.name for path in out.iterdir()}
    jpeg = np.asarray(Image.open(out / "jpeg-40.png"))
    own = run_to_end(PURIFIERS["jpeg"].run(to_tensor(scene[1]), purifier_of("jpeg 40"), None)).result  # type: ignore[arg-type]
    assert np.array_equal(jpeg, np.asarray(to_images(own)[0]))

    status, shown, err = run(capsys, "stress", protected, "--purifiers", "jpeg 40", "--size", 64)
    assert status == 0 and "jpeg 40" in shown and "About" in err and "1/1 jpeg 40" in err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [(["--purifiers", "zap"], "no purifier zap"), (["--edits"], "give the original"),
     (["-o", "a.png"], "must be a folder")],
)  # fmt: skip
def test_mistakes_are_sentences(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str], scene: tuple[Image.Image, Image.Image],
    tmp_path: Path,
) -> None:  # fmt: skip
    path = save_png(scene[1], tmp_path / "p.png")
    status, _, err = run(capsys, "stress", path, *options)
    assert status == 2 and sentence in err and "Traceback" not in err


def _settings(folder: Path, data: dict) -> Path:
    path = folder / "settings.json"
    path.write_text(json.dumps(data))
    return path


def test_the_purifiers_can_be_given_as_text_or_as_a_list() -> None:
    assert StressSettings(purifiers="jpeg, jpeg 40, blur 1, then fast").purifiers == ("jpeg 40", "blur 1, then fast")
    assert StressSettings(purifiers=["as-set"]).settings_of(purifier_of("blur 4"))["as-set"].blur_sigma == 4
