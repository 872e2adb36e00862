"""Who goes on before a run has said its last word is not put back by it, and finds nothing of it that is not whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import gradio as gr
import pytest
from PIL import Image

from impress_ui.ui import views
from impress_ui.ui.app import build_app
from impress_ui.ui.lifecycle import UNDER_WAY
from impress_ui.ui.opening import opened
from impress_ui.ui.page import Page, built_page
from impress_ui.ui.page_job import PageJob
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.history.keep import Keep
from impress_ui.ui.rooms.history.runs import HISTORIES
from impress_ui.ui.rooms.story.live import LONGEST, LiveRun
from impress_ui.ui.rooms.story.run import PageRun
from impress_ui.ui.runs import JOBS

T = TypeVar("T")
Updates = Generator[dict[Any, Any]]
ASKED: Any = SimpleNamespace(session_hash="visitor")
BEGUN: list[Updates] = []


@pytest.fixture(scope="module")
def page() -> Page:
    build_app()
    return built_page()


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("impress_ui.ui.progress.INTERVAL", 0.0)
    yield
    while BEGUN:
        BEGUN.pop().close()  # or it would keep the device
    HISTORIES.forget("visitor")


def begun(job: PageJob) -> Updates:
    job.outputs = [*job.page.shown, *job.page.after_job]
    BEGUN.append(job.updates())
    return BEGUN[-1]


def values_of(page: Page, photo: Path, **chosen: Any) -> dict[Any, Any]:
    return {knob: knob.value for knob in page.knobs.values()} | {
        page.record: Record(), page.upload: str(photo), page.mask: None, page.target: None, page.new_seed: False,
        page.reconstruction_of: "protected", page.knobs["purify", "method"]: "round-trip",
    } | {page.knobs["purify", name]: value for name, value in chosen.items()}  # fmt: skip


def purified(page: Page, photo: Path, **chosen: Any) -> PageRun:
    return PageRun(page, values_of(page, photo, **chosen), "visitor", "purify")


def until(job: PageJob, word: str) -> Updates:
    """The job's updates from there on, once it has said the word."""
    updates = begun(job)
    for update in updates:
        if word in str(update.get(job.status, "")):
            return updates
    raise AssertionError(f"It never said {word}.")


def meanwhile(left: Updates, action: Callable[[], T]) -> tuple[T, list[dict[Any, Any]]]:
    """What an action gives while a job goes on, and what the job said; it has said it when the action is done."""
    said: list[dict[Any, Any]] = []
    goes_on = threading.Thread(target=lambda: said.extend(left))
    goes_on.start()
    result = action()
    before = len(said)
    goes_on.join()
    assert before == len(said), "the job has the last word"
    return result, said


def live(page: Page, photo: Path, record: Record, **chosen: Any) -> LiveRun:
    return LiveRun(page, values_of(page, photo, **chosen) | {page.record: record}, "visitor", "purify")


def locks(page: Page, update: dict[Any, Any]) -> set[bool]:
    return {update[button]["interactive"] for button in (*page.run_buttons, *page.stop_buttons) if button in update}


def gives_back(page: Page, update: dict[Any, Any]) -> bool:
    return update[page.both]["interactive"] and not update[page.stop]["interactive"]


def test_undisturbed_the_last_word_says_everything_again_and_gives_the_buttons_back(page: Page, photo: Path) -> None:
    (last,) = until(purified(page, photo), "Done")
    assert page.panes["purified"] in last and gives_back(page, last)
    assert not JOBS.stop("visitor")


def test_a_run_is_remembered_when_it_is_seen_to_be_done(page: Page, photo: Path) -> None:
    updates = begun(purified(page, photo, method="impress", steps=2))
    done = next(update for update in updates if "Done" in str(update.get(page.status)))
    (run,) = HISTORIES.runs("visitor")
    assert done[page.record].run == run.number and done[page.past]["value"] == run.number
    assert not JOBS.stop("visitor"), "there is nothing left to stop"
    assert page.both not in done  # only the last word gives the buttons back


def test_a_picture_opened_right_after_a_run_stays(page: Page, photo: Path) -> None:
    left = until(purified(page, photo), "Done")
    shown, said = meanwhile(left, lambda: next(iter(opened(page, values_of(page, photo), "visitor"))))
    assert shown[page.panes["original"]] and gives_back(page, shown) and not shown[page.archive]["interactive"]
    assert len(said) == 1 and not locks(page, said[0]), "Gradio would send the last but one again"


def test_a_run_taken_back_right_after_another_stays(page: Page, photo: Path) -> None:
    list(begun(purified(page, photo)))
    left = until(purified(page, photo), "Done")
    shown, said = meanwhile(left, lambda: Keep(page).take_back("1", ASKED))
    assert shown[page.record].run == 1 and gives_back(page, shown)
    assert len(said) == 1 and not locks(page, said[0])
    first, second = reversed(HISTORIES.runs("visitor"))  # both are kept
    assert shown[page.archive]["value"] == first.archive != second.archive


def test_while_a_run_is_under_way_no_other_is_restored(page: Page, photo: Path) -> None:
    list(begun(purified(page, photo)))
    left = until(purified(page, photo), "Measuring")
    for restore in (lambda: Keep(page).take_back("1", ASKED), lambda: Keep(page).restore({page.past: 1}, ASKED)):
        with pytest.raises(gr.Error, match="A run is under way"):
            restore()
    (refused,) = opened(page, values_of(page, photo), "visitor")
    assert "not opened" in refused[page.notes]
    assert list(Keep(page).example(SimpleNamespace(index=0), ASKED).values()) == [gr.update()]  # no setting of it
    last = list(left)[-1]
    assert "Done" in str(last[page.status])
    assert page.notes not in last, "what was said of the picture that was turned away stays"


def test_a_slider_that_is_left_to_the_button_finds_what_stood_before(
    page: Page, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that it ended had locked the buttons, and shown a picture on its way."""
    record = list(begun(purified(page, photo)))[-1][page.record]
    left = begun(live(page, photo, record, method="impress", steps=60))
    assert locks(page, next(left)) == {True, False}  # locked, but for those that stop it
    assert any("preview" in str(update.get(page.panes["purified"])) for update in left)
    monkeypatch.setattr("impress_ui.ui.rooms.story.live.expected", lambda *_: 2 * LONGEST)
    (told,), said = meanwhile(left, lambda: list(begun(live(page, photo, record))))
    assert "press Purify" in views.text_of(told[page.status]) and gives_back(page, told)
    assert told[page.panes["purified"]] == record.files["purified"] and told[page.record] == record
    assert page.panes["purified"] not in said[-1], "a slider's next move shows pictures of its own"


@pytest.mark.parametrize("then", ["run", "picture"])
def test_what_ends_a_slider_s_run_goes_on_from_what_stood_before(page: Page, photo: Path, then: str) -> None:
    record = list(begun(purified(page, photo, method="impress", steps=2)))[-1][page.record]
    left = begun(live(page, photo, record, method="impress", steps=60))
    assert any("preview" in str(update.get(page.panes["purified"])) for update in left)
    if then == "run":
        other = PageRun(page, values_of(page, photo) | {page.record: record}, "visitor", "purify")
        shown, said = meanwhile(left, lambda: next(begun(other)))
        assert other.record == record and locks(page, shown) == {True, False}
    else:
        (shown,), said = meanwhile(left, lambda: list(opened(page, values_of(page, photo), "visitor")))
        assert shown[page.panes["purified"]] is None and gives_back(page, shown)
    assert said[-1][page.panes["purified"]] == record.files["purified"] and said[-1][page.record] == record
    assert not record.ghosts and record.curves


def test_a_step_that_is_not_waited_for_puts_nothing_back(
    page: Page, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = list(begun(purified(page, photo)))[-1][page.record]
    left = begun(live(page, photo, record, method="impress", steps=60))
    assert any("preview" in str(update.get(page.panes["purified"])) for update in left)
    monkeypatch.setattr("impress_ui.ui.queue.LAST_WORD", 0.05)
    assert next(iter(opened(page, values_of(page, photo), "visitor")))[page.panes["purified"]] is None
    assert list(left)[-1] == {page.status: gr.update()}


def test_a_slider_moved_while_another_s_run_protects_is_not_lost(page: Page, photo: Path) -> None:
    """Nor is the budget that was moved first."""
    whole = PageRun(page, values_of(page, photo), "visitor", "both")
    whole.values[page.knobs["protect", "steps"]], whole.values[page.knobs["run", "check"]] = 3, False
    record = list(begun(whole))[-1][page.record]
    values = {**whole.values, page.record: record, page.knobs["protect", "steps"]: 60}
    left = begun(LiveRun(page, values, "visitor", "both"))
    assert any("preview" in str(update.get(page.panes["protected"])) for update in left)
    half_way = Record(files={"original": record.files["original"]}, size=record.size)  # what the page holds by then
    other = LiveRun(page, {**values, page.record: half_way}, "visitor", "purify")
    shown, _ = meanwhile(left, lambda: next(begun(other)))
    assert locks(page, shown) == {True, False} and other.what == "both" and other.record == record


def test_a_picture_that_cannot_be_read_ends_nothing(page: Page, photo: Path, tmp_path: Path) -> None:
    record = list(begun(purified(page, photo)))[-1][page.record]
    left = begun(live(page, photo, record))
    next(left)
    broken = tmp_path / "broken.png"
    broken.write_bytes(photo.read_bytes()[:200])
    (told,) = opened(page, values_of(page, photo) | {page.upload: str(broken), page.record: record}, "visitor")
    assert "before" in told[page.notes]
    assert "Done" in str(list(left)[-1][page.status])


def test_nothing_is_begun_while_a_picture_is_being_opened(page: Page, photo: Path) -> None:
    """It would take the picture before."""
    with JOBS.open("visitor"), pytest.warns(UserWarning, match=UNDER_WAY[:30]):
        updates = list(begun(purified(page, photo)))
    assert updates == [{page.status: gr.update()}]


def test_a_mistake_half_way_leaves_what_stood_before_and_gives_the_buttons_back_once(page: Page, photo: Path) -> None:
    record = list(begun(purified(page, photo)))[-1][page.record]
    values = values_of(page, photo, method="impress", steps=9) | {page.record: record}

    class Lost(PageRun):
        def preview(self, image: Image.Image) -> str:
            if len(self._previews) == 2:
                raise RuntimeError("the device is gone")
            return super().preview(image)

    updates = list(begun(Lost(page, values, "visitor", "purify")))
    told = [update for update in updates if "Not done" in str(update.get(page.status))]
    assert len(told) == 2 and not locks(page, told[0]) and gives_back(page, told[1])
    for update in told:
        assert update[page.panes["purified"]] == record.files["purified"] and update[page.record] == record


def test_a_seed_typed_while_a_run_waits_stays(page: Page, photo: Path) -> None:
    seed = page.knobs["run", "seed"]
    assert not any(seed in update for update in begun(purified(page, photo)))
