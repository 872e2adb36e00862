"""Who goes on before a run has said its last word is not put back by it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from impress_ui.ui import views
from impress_ui.ui.app import build_app
from impress_ui.ui.opening import opened
from impress_ui.ui.page import Page, built_page
from impress_ui.ui.page_job import PageJob
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.history.keep import Keep
from impress_ui.ui.rooms.history.runs import HISTORIES
from impress_ui.ui.rooms.story.live import LONGEST, LiveRun
from impress_ui.ui.rooms.story.run import PageRun
from impress_ui.ui.runs import JOBS

ASKED: Any = SimpleNamespace(session_hash="visitor")


@pytest.fixture(scope="module")
def page() -> Page:
    build_app()
    return built_page()


BEGUN: list[Generator[dict[Any, Any]]] = []


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    while BEGUN:
        BEGUN.pop().close()  # or it would keep the device
    HISTORIES.forget("visitor")


def begun(job: PageJob) -> Generator[dict[Any, Any]]:
    BEGUN.append(job.updates())
    return BEGUN[-1]


def values_of(page: Page, photo: Path, **chosen: Any) -> dict[Any, Any]:
    return {knob: knob.value for knob in page.knobs.values()} | {
        page.record: Record(), page.upload: str(photo), page.mask: None, page.target: None, page.new_seed: False,
        page.reconstruction_of: "protected", page.knobs["purify", "method"]: "round-trip",
    } | {page.knobs["purify", name]: value for name, value in chosen.items()}  # fmt: skip


def purified(page: Page, photo: Path) -> PageRun:
    return PageRun(page, values_of(page, photo), "visitor", "purify")


def until(job: PageJob, word: str) -> Generator[dict[Any, Any]]:
    """The job's updates from there on, once it has said the word."""
    updates = begun(job)
    for update in updates:
        if word in str(update.get(job.status, "")):
            return updates
    raise AssertionError(f"It never said {word}.")


def locks(page: Page, update: dict[Any, Any]) -> set[bool]:
    return {update[button]["interactive"] for button in (*page.run_buttons, *page.stop_buttons) if button in update}


def test_undisturbed_the_last_word_says_everything_again_and_gives_the_buttons_back(page: Page, photo: Path) -> None:
    (last,) = until(purified(page, photo), "Done")
    assert page.panes["purified"] in last and last[page.both]["interactive"] and not last[page.stop]["interactive"]
    assert not JOBS.stop("visitor")


def test_a_run_is_remembered_when_it_is_seen_to_be_done(page: Page, photo: Path) -> None:
    updates = begun(PageRun(page, values_of(page, photo, method="impress", steps=2), "visitor", "purify"))
    done = next(update for update in updates if "Done" in str(update.get(page.status)))
    (run,) = HISTORIES.runs("visitor")
    assert done[page.record].run == run.number and done[page.past]["value"] == run.number
    assert not JOBS.stop("visitor"), "there is nothing left to stop"
    assert page.both not in done  # only the last word gives the buttons back


def test_a_picture_opened_right_after_a_run_stays(page: Page, photo: Path) -> None:
    left = until(purified(page, photo), "Done")
    (shown,) = opened(page, values_of(page, photo), "visitor")
    assert shown[page.panes["original"]] and shown[page.both]["interactive"]
    assert list(left) == []


def test_a_run_taken_back_right_after_another_stays(page: Page, photo: Path) -> None:
    list(purified(page, photo).updates())
    left = until(purified(page, photo), "Done")
    shown = Keep(page).take_back("1", ASKED)
    assert shown[page.record].run == 1
    assert shown[page.both]["interactive"] and not shown[page.stop]["interactive"]
    assert list(left) == []
    assert [run.number for run in HISTORIES.runs("visitor")] == [2, 1]  # both are kept


def test_while_a_run_is_under_way_no_other_is_restored(page: Page, photo: Path) -> None:
    list(purified(page, photo).updates())
    left = until(purified(page, photo), "Measuring")
    for restore in (lambda: Keep(page).take_back("1", ASKED), lambda: Keep(page).restore({page.past: 1}, ASKED)):
        with pytest.raises(gr.Error, match="A run is under way"):
            restore()
    assert "Done" in str(list(left)[-1][page.status])


def test_a_slider_that_is_left_to_the_button_gives_the_buttons_back(
    page: Page, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that it ended had locked them."""
    record = list(purified(page, photo).updates())[-1][page.record]
    values = values_of(page, photo) | {page.record: record}
    live = begun(LiveRun(page, values, "visitor", "purify"))
    assert locks(page, next(live)) == {True, False}  # locked, but for those that stop it
    next(live)
    monkeypatch.setattr("impress_ui.ui.rooms.story.live.expected", lambda *_: 2 * LONGEST)
    (told,) = LiveRun(page, values, "visitor", "purify").updates()
    assert "press Purify" in views.text_of(told[page.status])
    assert told[page.both]["interactive"] and not told[page.stop]["interactive"]
    assert list(live) == []


def test_a_mistake_gives_the_buttons_back_once(page: Page, photo: Path) -> None:
    values = values_of(page, photo, method="noisy-upscaling")
    told = [
        update for update in PageRun(page, values, "visitor", "purify").updates()
        if "Not done" in str(update.get(page.status))
    ]  # fmt: skip
    assert len(told) == 2 and not locks(page, told[0]) and told[1][page.both]["interactive"]
