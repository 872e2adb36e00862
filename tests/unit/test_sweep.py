"""Grids over settings: their values, their cells, and the figures of a cell."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from impress_ui.charts.explore import chart
from impress_ui.measures.grid import Grid, GridCell, figures_of
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.settings import MEASURES, JobSettings, ProtectSettings, PurifySettings
from impress_ui.settings.sweep import (
    Axis,
    cells_of,
    default_range,
    limits_of,
    swept_names,
    values_between,
)


@given(st.sampled_from(swept_names()), st.floats(0, 1), st.floats(0, 1), st.integers(1, 9))
def test_values_keep_the_settings_range_and_order(name: str, a: float, b: float, count: int) -> None:
    least, greatest = limits_of(name)
    low, high = (least + (greatest - least) * share for share in sorted((a, b)))
    values = values_between(name, low, high, count)
    assert 1 <= len(values) <= count and list(values) == sorted(set(values))
    section, _, field = name.partition(".")
    model = {"protect": ProtectSettings, "purify": PurifySettings}[section]
    for value in values:  # the model itself says whether it is in range, and whole where it must be
        assert getattr(model.model_validate({field: value}), field) == value


def test_every_setting_begins_with_a_range_of_its_own() -> None:
    for name in swept_names():
        assert len(values_between(name, *default_range(name), 5)) > 1, name


def test_values_are_spaced_by_steps_or_by_ratios() -> None:
    assert values_between("protect.budget", 4, 16, 4) == (4, 8, 12, 16)
    assert values_between("protect.budget", 2, 32, 5) == (2, 4, 8, 16, 32)
    assert values_between("protect.beta", 10, 10000, 4) == (10, 100, 1000, 10000)
    assert values_between("purify.alpha", 0, 1, 3) == (0, 0.5, 1)
    assert values_between("protect.beta", 1234, 2345, 3) == (1234, 1790, 2345)  # round between ends that are as given
    assert values_between("purify.grid_tile", 64, 256, 3) == (64, 128, 256)  # in its unit of 64
    assert values_between("protect.repetitions", 1, 3, 9) == (1, 2, 3)  # whole numbers: no more than there are


@pytest.mark.parametrize(
    ("name", "low", "high", "why"),
    [
        ("protect.budget", 0, 300, "from 0 to 255"),
        ("protect.budget", 9, 8, "smaller"),
        ("protect.nothing", 1, 2, "no setting protect.nothing"),
        ("run.size", 64, 128, "no setting run.size"),
    ],
)
def test_ranges_that_cannot_be(name: str, low: float, high: float, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        values_between(name, low, high, 3)


def test_cells_are_jobs() -> None:
    cells = cells_of([Axis("protect.budget", (4, 8)), Axis("purify.alpha", (0.1, 0.2, 0.3))])
    assert len(cells) == 6 and cells[1] == {"protect.budget": 4, "purify.alpha": 0.2}
    base = JobSettings().updated(purify={"recipe": "paper", "steps": 7})
    job = base.at(cells[-1])
    assert (job.protect.budget, job.purify.alpha, job.purify.steps, job.purify.recipe) == (8, 0.3, 7, "paper")
    assert base.protect.budget == 16
    with pytest.raises(ValueError, match="impress has no setting JPEG quality"):
        base.at({"purify.jpeg_quality": 30})


def test_figures_of_a_cell(embedded: Autoencoder, photographs: list[Image.Image]) -> None:
    original, protected = photographs[0], photographs[1]
    purified = Image.blend(original, protected, 0.25)

    def latent(image: Image.Image) -> torch.Tensor:
        x = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            return embedded.module.encode(x).latent_dist.mean

    goal, before, after = (latent(image) for image in (original, protected, purified))
    figures = figures_of(original, protected, purified, embedded)
    assert set(figures) == set(MEASURES)
    assert figures["strength"] == pytest.approx(((before - goal).norm() / goal.norm()).item(), rel=1e-4)
    assert figures["left"] == pytest.approx(((after - goal).norm() / (before - goal).norm()).item(), rel=1e-4)
    expected = peak_signal_noise_ratio(np.asarray(original), np.asarray(purified))
    assert figures["psnr"] == pytest.approx(expected)
    same = figures_of(original, original, original, embedded)
    assert (same["left"], same["strength"], same["psnr"], same["ssim"]) == (None, 0, None, 1)


def grid(second: bool, left: dict[tuple, float | None]) -> Grid:
    axes = (Axis("protect.budget", (4, 8)), Axis("purify.alpha", (0.1, 0.2)))[: 2 if second else 1]
    names = [axis.name for axis in axes]
    cells = [
        GridCell(dict(zip(names, place, strict=True)), {"left": value, "ssim": value}, 1.0)
        for place, value in left.items()
    ]
    return Grid(axes, cells)


def test_a_grid_says_where_its_ends_are() -> None:
    two = grid(True, {(4, 0.1): 0.9, (4, 0.2): None, (8, 0.1): 0.25, (8, 0.2): 0.5})
    near, far = two.ends("left")
    assert (near.cell["protect.budget"], far.cell["protect.budget"]) == (8, 4)  # the least left is nearest
    assert two.ends("ssim")[0] is far  # the most similar is
    assert two.at(8, 0.2).figures["left"] == 0.5 and two.at(8, 0.3) is None
    told = two.verdict("left")
    assert "25 % at Budget ε 8, Similarity weight α 0.1" in told and "90 % at Budget ε 4" in told
    assert "nothing is measured" in grid(True, {}).verdict("left")
    assert "50 % in every cell" in grid(False, {(4,): 0.5, (8,): 0.5}).verdict("left")


def test_a_map_holds_every_figure_and_marks_both_ends() -> None:
    drawn = ElementTree.fromstring(
        chart(grid(True, {(4, 0.1): 0.9, (4, 0.2): 0.6, (8, 0.1): 0.25}), "left", alone=True)
    )
    parts = [(part.tag.rpartition("}")[2], part.get("class"), part.text) for part in drawn.iter()]
    assert [text for _, kind, text in parts if kind == "value"] == ["90 %", "60 %", "25 %"]
    kinds = [kind for _, kind, _ in parts]
    assert [kinds.count(kind) for kind in ("heat", "empty", "near", "far")] == [3, 1, 1, 1]
    strengths = [float(part.get("fill-opacity")) for part in drawn.iter() if part.get("class") == "heat"]
    assert strengths[0] == max(strengths) and strengths[2] == min(strengths)


def test_a_curve_rises_where_its_figures_do() -> None:
    drawn = ElementTree.fromstring(chart(grid(False, {(4,): 0.2, (8,): 0.8}), "left", alone=True))
    dots = [part for part in drawn.iter() if part.get("class") == "dot"]
    (x1, y1), (x2, y2) = ((float(dot.get("cx")), float(dot.get("cy"))) for dot in dots)
    assert x1 < x2 and y1 > y2  # upwards is less in SVG
