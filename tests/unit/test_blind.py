"""The blind comparison: the order of the questions, the interval against published ones, pairs that tell nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image
from scipy.stats import binomtest

from impress_ui.errors import UserError
from impress_ui.measures.blind import ANSWERS, MOST, NEITHER, Answer, Tally, as_csv, order_of, tally
from impress_ui.pictures.images import read_metadata, save_png
from impress_ui.settings import JobSettings
from impress_ui.ui import public
from impress_ui.ui.layout import build_page
from impress_ui.ui.record import Edit, Record
from impress_ui.ui.rooms.history import blind_views
from impress_ui.ui.rooms.history.blind_study import Study, of_files, of_runs
from impress_ui.ui.rooms.history.runs import PastRun

GIVEN = {"time": "2026-01-01T00:00:00+00:00", "question": "Which?", "series": 1, "pair": 1, "left": "l", "right": "r"}


def answer(a_stood: str, said: str) -> Answer:
    return Answer(**GIVEN, a_stood=a_stood, answer=said, seconds=1.5)


# --- the order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pairs", "times"), [(1, 1), (1, 6), (1, 7), (3, 4), (4, 5), (5, 3)])
def test_sides_are_balanced_in_every_pair_and_in_the_series(pairs: int, times: int) -> None:
    for seed in range(20):
        turns = order_of(pairs, times, seed)
        assert turns == order_of(pairs, times, seed) and len(turns) == pairs * times
        for part in [[turn for turn in turns if turn.pair == pair] for pair in range(pairs)] + [list(turns)]:
            swapped = sum(turn.swapped for turn in part)
            assert abs(2 * swapped - len(part)) <= 1


def test_neither_side_nor_place_can_be_foretold() -> None:
    orders = [order_of(2, 4, seed) for seed in range(200)]
    assert len(set(orders)) > 150
    for place in range(8):
        assert 60 < sum(order[place].swapped for order in orders) < 140
        assert 60 < sum(order[place].pair for order in orders) < 140
    assert 60 < sum(order_of(1, 1, seed)[0].swapped for seed in range(200)) < 140


@pytest.mark.parametrize(("pairs", "times"), [(0, 3), (1, 0), (MOST // 20 + 1, 20)])
def test_nothing_to_ask_and_too_much_are_told(pairs: int, times: int) -> None:
    with pytest.raises(UserError, match=r"nothing to ask|too many"):
        order_of(pairs, times, 0)


# --- what the answers come to ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "count", "low", "high"),
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 5.
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_the_interval_is_the_published_one(a: int, count: int, low: float, high: float) -> None:
    counted = Tally(a, count - a, 3)
    assert counted.interval() == pytest.approx((low, high), abs=5e-5)
    assert counted.share == a / count
    assert counted.coin() == pytest.approx(binomtest(a, count, 0.5).pvalue)


def test_the_coin_and_the_interval_agree() -> None:
    assert Tally(8, 2, 0).coin() == pytest.approx(112 / 1024)  # 2 (C(10,8) + C(10,9) + C(10,10)) / 2^10
    assert Tally(5, 5, 9).coin() == 1
    for a in range(31):
        low, high = Tally(a, 30 - a, 0).interval()
        assert (low > 0.5 or high < 0.5) == (Tally(a, 30 - a, 0).coin() < 0.05)


def test_answers_are_counted_by_what_stood_there() -> None:
    given = [answer("left", "left"), answer("right", "right"), answer("left", "right"), answer("right", NEITHER)]
    assert [each.chosen for each in given] == ["A", "A", "B", ""]
    assert tally(given) == Tally(2, 1, 1)
    undecided = tally([answer("left", NEITHER)])
    assert undecided.share is undecided.coin() is None and undecided.interval() == (0, 1)


def test_the_csv_has_a_row_a_question() -> None:
    named = replace(answer("right", NEITHER), left='own picture, a "b", c.png', seconds=0.25)
    (row,) = csv.DictReader(io.StringIO(as_csv([named])))
    assert list(row) == ["time", "question", "series", "pair", "left", "right", "a_stood", "answer", "seconds"]
    assert row["left"] == 'own picture, a "b", c.png' and row["answer"] == "no difference"
    assert row["pair"] == "1" and float(row["seconds"]) == 0.25
    assert as_csv([]).count("\n") == 1


# --- pairs -------------------------------------------------------------------------------------------------


def picture(path: Path, colour: int, size: tuple[int, int] = (32, 32)) -> str:
    told = {"settings": {"edit": {"prompt": "a <b>castle</b>"}}, "method": "told"}
    return str(save_png(Image.new("RGB", size, (colour, 0, 0)), path, told))


def run_of(number: int, folder: Path, original: int = 10, size: tuple[int, int] = (32, 32)) -> PastRun:
    colours = {"original": original, "protected": 20 + number}
    files = {name: picture(folder / f"{number}-{name}.png", value, size) for name, value in colours.items()}
    edit = Edit(picture(folder / f"{number}-edit.png", 40 + number, size), files["protected"])
    record = Record(files, size, edits={"protected": edit})
    return PastRun("Protect", JobSettings(), record, "", number=number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study").mkdir()
    return tmp_path / "study"


def test_what_is_shown_tells_nothing_of_what_it_is(tmp_path: Path, folder: Path) -> None:
    runs = [run_of(1, tmp_path), run_of(2, tmp_path)]
    pair = of_runs("change", runs, ("protected", "protected"), folder)
    study, seen, places = Study(pairs=(pair,), turns=order_of(1, 6, 3)), set(), []
    for number, said in enumerate([*ANSWERS, *ANSWERS]):
        (at := tmp_path / f"asked{number}").mkdir()
        study, files = study.asked(at)
        assert [Path(file).name for file in files.values()] == ["left.png", "original.png", "right.png"]
        assert all(read_metadata(file) is None for file in files.values()) and not seen & set(files.values())
        seen |= set(files.values())
        with Image.open(files["left"]) as left, Image.open(files["original"]) as original:
            assert not {*left.info, *original.info} & {"impress", "XML:com.adobe.xmp"}
            places.append({21: "left", 22: "right"}[left.getpixel((0, 0))[0]])
            assert original.getpixel((0, 0))[0] == 10
        assert "run" not in blind_views.asked(study)
        study = study.answered(said)
    assert [row.a_stood for row in study.answers] == places and study.turn is None
    assert sorted(places) == ["left"] * 3 + ["right"] * 3
    assert {row.left for row in study.answers} == {"run 1, protected", "run 2, protected"}
    assert not any(Path(file).exists() for file in seen if "asked5" not in file)  # asked and answered
    assert all(early.time <= late.time for early, late in pairwise(study.answers))
    shown = blind_views.result(study)
    assert "6 answers" in shown and " of 4" in shown and "<td>2</td>" in shown and "All pairs" not in shown


def test_an_edit_is_asked_about_with_its_prompt(tmp_path: Path, folder: Path) -> None:
    runs = [run_of(1, tmp_path), run_of(2, tmp_path, original=11)]
    pair = of_runs("edit", runs, ("edit(protected)",) * 2, folder)
    assert pair.original is None and pair.prompt == "a <b>castle</b>"  # each is of another picture
    study, files = Study(pairs=(pair,), turns=order_of(1, 1, 0)).asked(folder)
    assert files["original"] is None and "a &lt;b&gt;castle" in blind_views.asked(study)


def test_what_cannot_be_compared_is_told(tmp_path: Path, folder: Path) -> None:
    one, other, small = run_of(1, tmp_path), run_of(2, tmp_path, original=11), run_of(3, tmp_path, size=(48, 32))
    unknown = replace(one, record=Record({"protected": one.record.files["protected"]}))
    file = one.record.files["protected"]
    (broken := tmp_path / "broken.png").write_bytes(b"no picture")
    pictures = ("protected", "protected")
    for wrong, sentence in (
        (lambda: of_runs("change", (one, one), pictures, folder), "the same picture"),
        (lambda: of_runs("change", (one, one), ("protected", "purified"), folder), "Run 1 has no picture"),
        (lambda: of_runs("change", (one, other), pictures, folder), "different originals"),
        (lambda: of_runs("change", (one, unknown), pictures, folder), "does not know its original"),
        (lambda: of_runs("edit", (one, small), ("edit(protected)",) * 2, folder), "32x32 and 48x32"),
        (lambda: of_files("edit", file, None, None, folder), "both pictures"),
        (lambda: of_files("change", file, small.record.files["protected"], None, folder), "the original"),
        (lambda: of_files("edit", file, str(broken), None, folder), "broken.png"),
        (lambda: of_files("edit", file, file, None, folder), "the same picture"),
    ):
        with pytest.raises(UserError, match=sentence):
            wrong()


def test_own_pictures_and_several_pairs_are_named_and_counted_apart(tmp_path: Path, folder: Path) -> None:
    one, other = picture(tmp_path / "<i>one.png", 1), picture(tmp_path / "two.png", 2)
    pair = of_files("edit", one, other, None, folder)
    study = Study(pairs=(pair, pair), turns=order_of(2, 1, 0)).answered("left").answered(NEITHER)
    shown = blind_views.result(study)
    assert "All pairs" in shown and "<i>" not in shown and "&lt;i&gt;one.png" in shown
    assert "1 of 1" in shown or "0 of 1" in shown
    assert {row.pair for row in study.answers} == {1, 2} and study.answers[0].left.startswith("own picture, ")
    assert "No question" in blind_views.result(Study(pairs=(pair,)))


# --- the page ----------------------------------------------------------------------------------------------


def test_a_space_asks_only_where_its_owner_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPRESS_BLIND", raising=False)
    assert public.compares_blind()
    monkeypatch.setattr(public, "ON_SPACES", True)
    with gr.Blocks() as blocks:
        page = build_page()
    ids = {getattr(block, "elem_id", None) for block in blocks.blocks.values()}
    assert "blind" not in page.rooms and "blind-area" not in ids and "past-view" in ids
    monkeypatch.setenv("IMPRESS_BLIND", "1")
    assert public.compares_blind()
