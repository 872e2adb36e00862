"""An exploration: what it runs, what it shares, how it stops, and what it refuses."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs import explore
from impress_ui.jobs.explore import Exploration, expected_of, plan_of
from impress_ui.jobs.saving import save_exploration
from impress_ui.jobs.workflow import protect_picture, purify_picture
from impress_ui.methods.optimise import run_to_end
from impress_ui.pictures.images import read_metadata, to_images
from impress_ui.settings import JobSettings

QUICK = JobSettings().updated(
    protect={"steps": 3}, purify={"steps": 2}, explore={"x_from": 4, "x_to": 16, "x_count": 2}
)
TWO = QUICK.updated(explore={"y": "purify.trust_radius", "y_from": 8, "y_to": 24, "y_count": 2})


def same(a: Image.Image, b: Image.Image) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def test_every_cell_is_what_its_settings_make(
    little: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    once = explore.protect_picture
    monkeypatch.setattr(explore, "protect_picture", lambda *a, **k: calls.append(1) or once(*a, **k))
    exploration = Exploration(little[0], TWO)
    steps = list(exploration.run())
    assert len(calls) == 2 and exploration.count == 4  # two budgets: the cells of one share their protected picture
    assert [step.number for step in steps if step.done] == [1, 2, 3, 4]
    assert exploration.expected > 0 and steps[-1].seconds_left == 0
    made = exploration.cells[-1]
    assert (made.job.protect.budget, made.job.purify.trust_radius) == (16, 24)
    job = TWO.updated(protect={"budget": 16}, purify={"trust_radius": 24})
    protected = to_images(run_to_end(protect_picture(little[0], job)).result)[0]
    purified = to_images(run_to_end(purify_picture(protected, job)).result)[0]
    assert same(made.protected, protected) and same(made.purified, purified)
    save_exploration(exploration, tmp_path, stopped=False)
    with (tmp_path / "explore.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["protect.budget"], row["purify.trust_radius"]) for row in rows] == [
        ("4", "8"), ("4", "24"), ("16", "8"), ("16", "24")
    ]  # fmt: skip
    assert float(rows[-1]["left"]) == made.done.figures["left"]
    kept = tmp_path / "budget-16-trust_radius-24.png"
    assert same(Image.open(kept), purified) and read_metadata(kept)["settings"]["purify"]["trust_radius"] == 24
    assert {"explore.json", "chart.svg", "sheet.png"} <= {file.name for file in tmp_path.iterdir()}


def test_stop_keeps_the_cells_that_are_done(little: list[Image.Image]) -> None:
    exploration = Exploration(little[0], QUICK)
    *_, last = exploration.run(lambda: bool(exploration.cells))
    assert last.stopped and len(exploration.cells) == len(exploration.grid.cells) == 1


def test_a_protected_picture_is_taken_as_it_is(little: list[Image.Image]) -> None:
    job = QUICK.updated(explore={"x": "purify.steps", "x_from": 1, "x_to": 2})
    given = little[1]
    exploration = Exploration(little[0], job, given)
    list(exploration.run())
    assert [same(made.protected, given) for made in exploration.cells] == [True, True]
    planned = plan_of(job)
    assert expected_of(planned, (64, 64), {planned[0][1].protect}) < expected_of(planned, (64, 64))
    anew = Exploration(little[0], QUICK, given)  # the budget is varied: it cannot serve
    assert not anew._made


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"x_from": 0, "x_to": 300}, "from 0 to 255"),
        ({"x_from": 9, "x_to": 8}, "smaller one"),
        ({"y": "protect.budget"}, "must differ"),
        ({"x": "purify.jpeg_quality", "x_from": 10, "x_to": 90}, "impress has no setting"),
        ({"x_from": 16, "x_to": 100}, "needs a mask"),
    ],
)
def test_what_cannot_be_explored_is_said_in_a_sentence(little: list[Image.Image], change: dict, why: str) -> None:
    with pytest.raises(UserError, match=why):
        Exploration(little[0], QUICK.updated(explore=change))
