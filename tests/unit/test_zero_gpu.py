"""ZeroGPU without ZeroGPU: a stand-in for the platform's package that forks, pickles and notes the time asked for."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.pictures.images import read_metadata
from impress_ui.settings import JobSettings
from impress_ui.ui import page as pages
from impress_ui.ui import runs, zero_gpu
from impress_ui.ui.app import build_app
from impress_ui.ui.page import Page, built_page
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.history.runs import HISTORIES
from impress_ui.ui.rooms.story.run import PageRun
from impress_ui.ui.zero_gpu import LEAST, MOST, seconds_for, stream


def lent_as_on_zero_gpu(task: Callable[..., Iterator[Any]], asked: list[int]) -> Callable[..., Iterator[Any]]:
    """What ``spaces.GPU`` makes of a generator: it runs in a forked process, everything on the way is pickled."""
    context = multiprocessing.get_context("fork")

    def worker(payload: bytes, results: Any) -> None:
        try:
            for item in task(*pickle.loads(payload)):
                results.put(pickle.dumps(("item", item)))
            results.put(pickle.dumps(("end", None)))
        except gr.Error as error:
            results.put(pickle.dumps(("mistake", error.message)))
        except BaseException as error:  # of these, only the class's name arrives
            results.put(pickle.dumps(("mistake", type(error).__name__)))

    def called(*args: Any) -> Iterator[Any]:
        asked.append(zero_gpu._seconds_asked(*args))
        results = context.Queue()
        process = context.Process(target=worker, args=(pickle.dumps(args), results), daemon=True)
        process.start()
        try:
            while True:
                kind, value = pickle.loads(results.get(timeout=100))
                if kind == "end":
                    return
                if kind == "mistake":
                    raise gr.Error(value, print_exception=False)
                yield value
        finally:
            process.terminate()
            process.join()

    return called


@pytest.fixture(scope="module")
def built() -> Page:
    build_app()
    return built_page()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The machine is a ZeroGPU Space; gives the seconds that every call asked for."""
    seconds: list[int] = []
    monkeypatch.setattr(zero_gpu, "_lent", lent_as_on_zero_gpu(zero_gpu._lent, seconds))
    for module in (zero_gpu, runs):
        monkeypatch.setattr(module, "ON_ZERO_GPU", True)
    return seconds


def counting(upto: int, *, should_stop: Callable[[], bool]) -> Iterator[int]:
    """A body that counts until it is stopped, and says so."""
    import time

    for number in range(upto):
        if should_stop():
            yield -1
            return
        time.sleep(0.01)
        yield number


def failing(*, should_stop: Callable[[], bool]) -> Iterator[int]:
    """A body whose mistake must keep its words."""
    yield 0
    raise UserError("The prompt is too long.")


def test_elsewhere_a_job_just_runs() -> None:
    assert list(stream(20, counting, (3,), lambda: False)) == [0, 1, 2]
    assert list(stream(20, counting, (3,), lambda: True)) == [-1]


def test_stop_reaches_the_worker_and_mistakes_come_back(asked: list[int]) -> None:
    seen: list[int] = []
    for number in stream(33, counting, (100_000,), lambda: len(seen) > 2):
        seen.append(number)
    assert seen[:3] == [0, 1, 2] and seen[-1] == -1 and len(seen) < 1000 and asked == [33]
    with pytest.raises(gr.Error, match=r"The prompt is too long\."):
        list(stream(20, failing, (), lambda: False))


def test_a_purifier_that_cannot_run_is_refused_before_the_picture_is_protected(photo: Path, built: Page) -> None:
    values = {knob: knob.value for knob in built.knobs.values()} | {
        built.record: Record(), built.upload: str(photo), built.mask: None, built.target: None, built.new_seed: False,
        built.reconstruction_of: "protected", built.knobs["purify", "method"]: "noisy-upscaling",
    }  # fmt: skip
    updates = list(PageRun(built, values, "refused", "both").updates())
    assert "needs an upscaler" in str(updates[-1][built.status])
    assert not any(built.panes["protected"] in update for update in updates)
    assert HISTORIES.runs("refused") == []


def test_the_page_s_whole_run_fits_through_the_worker(asked: list[int], photo: Path, built: Page) -> None:
    page = built
    values = {knob: knob.value for knob in page.knobs.values()} | {
        page.record: Record(), page.upload: str(photo), page.mask: {"layers": [Image.new("RGBA", (96, 64))]},
        page.target: None, page.reconstruction_of: "protected", page.new_seed: True,
        page.knobs["protect", "steps"]: 2, page.knobs["purify", "steps"]: 2, page.knobs["run", "check"]: False,
    }  # fmt: skip
    updates = []
    for update in PageRun(page, values, "zero", "both").updates():
        updates.append(dict(update))
        for value in update.values():
            if isinstance(value, dict):
                value.pop("value", None)  # as Gradio does with what it is given
    (run,) = HISTORIES.runs("zero")
    record = run.record
    assert set(record.files) >= {"original", "protected", "purified", "V(purified)"} and record.rows
    assert updates[0][page.knobs["run", "seed"]] == run.job.run.seed == read_metadata(record.files["purified"])["seed"]
    assert "purified in" in run.told and run.archive and Path(run.archive).is_file()
    assert any(page.panes["protected"] in update for update in updates)
    assert not any(
        update.get(page.both, {}).get("interactive") for update in updates[:-1]
    )  # the last one alone gives the buttons back
    assert updates[-1][page.both]["interactive"] is True
    assert LEAST <= asked[0] <= MOST
    HISTORIES.forget("zero")
    assert HISTORIES.runs("zero") == []


def test_the_time_asked_for_grows_with_the_work(asked: list[int]) -> None:
    few, many = JobSettings(), JobSettings().updated(protect={"steps": 400}, purify={"steps": 400})
    for parts in (("protect",), ("purify",), ("protect", "purify")):
        assert LEAST <= seconds_for(parts, few) < seconds_for(parts, many) <= MOST
    assert seconds_for((), few) == LEAST
    endless = JobSettings().updated(protect={"method": "photoguard-diffusion", "steps": 2000, "repetitions": 50})
    assert seconds_for(("protect",), endless) == MOST
    assert seconds_for(("edit",), few.updated(edit={"sampling_steps": 250}), pictures=3) > seconds_for(("edit",), few)
    assert seconds_for(("style",), many) > LEAST
    dear = few.updated(stress={"purifiers": "paper", "twins": True})
    assert seconds_for(("stress",), dear) > seconds_for(("stress",), few)
    assert seconds_for(("generate",), few.updated(generate={"count": 16, "sampling_steps": 250})) > LEAST


def test_widgets_have_the_same_numbers_wherever_they_are_looked_up(built: Page) -> None:
    assert built.by_number[built.record._id] is built.record
    assert built.by_number[built.panes["purified"]._id] is built.panes["purified"]
    assert pages.built_page() is built
