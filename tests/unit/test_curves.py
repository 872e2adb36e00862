"""The decimator and the charts."""

import math
import re

from hypothesis import example, given
from hypothesis import strategies as st

from impress_ui.ui.curves import MAX_POINTS, Panel, chart, charts, decimate, other

LOSSES = st.lists(st.floats(min_value=-1e6, max_value=1e6), max_size=2000)


@given(LOSSES, st.integers(min_value=10, max_value=250))
def test_decimated_curve_keeps_ends_and_extremes(values: list[float], limit: int) -> None:
    points = decimate(values, limit)
    assert len(points) <= limit
    assert [index for index, _ in points] == sorted({index for index, _ in points})
    assert all(values[index] == value for index, value in points)
    if values:
        assert points[0][0] == 0 and points[-1][0] == len(values) - 1
        kept = [value for _, value in points]
        assert min(kept) == min(values) and max(kept) == max(values)


def test_values_that_are_not_finite_are_left_out() -> None:
    assert decimate([1.0, math.nan, math.inf, 2.0]) == [(0, 1.0), (3, 2.0)]


def points_of(html: str, series: str) -> list[tuple[float, float]]:
    text = re.search(rf'line-{series}" points="([^"]*)"', html).group(1)
    return [tuple(map(float, pair.split(","))) for pair in text.split()]


def test_a_chart_spans_the_whole_run_from_the_first_step() -> None:
    half = charts({"latent distance": [100.0, 50.0, 25.0]}, {"latent distance": 4})
    whole = charts({"latent distance": [100.0, 50.0, 25.0, 12.0, 6.0]}, {"latent distance": 4})
    assert points_of(half, "latent-distance")[2][0] == points_of(whole, "latent-distance")[2][0]
    heights = [y for _, y in points_of(whole, "latent-distance")]
    assert heights == sorted(heights)  # a falling loss goes down the page


def test_a_second_run_s_values_stand_behind_the_first_s_and_a_similarity_of_0_is_explained() -> None:
    panel = Panel("Purification", {"total": "total loss", other("total"): "total loss, run 1"}, log=False)
    both = chart(panel, {"total": [3.0, 2.0], other("total"): [3.0, 1.0]}, {"total": 1})
    assert both.count("2 ┄ 1</tspan>") == 2 and both.count('class="last"') == 2  # on either scale
    alone = chart(panel, {other("total"): [3.0, 1.0]}, {})
    assert "total</tspan>" not in alone and ">┄ 1</tspan>" in alone  # only the second run has it
    assert "so α weighed nothing" in charts({"similarity": [0.0, 0.0]}, {})
    assert "α weighed" not in charts({"similarity": [0.0, 0.1]}, {}) + charts({}, {})


def test_a_long_run_sends_few_points() -> None:
    html = charts({"total": [1 / (step + 1) for step in range(3001)]}, {"total": 3000})
    assert len(points_of(html, "total")) <= MAX_POINTS
    assert "from 1 to 0.0003" in html or "from 1 to 3e−4" in html


@given(st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=31))
@example([999999999.9999999])
@example([1000000000.0000001])
def test_every_point_lies_inside_its_chart(values: list[float]) -> None:
    html = charts({"total": values, "similarity": values}, {"total": 30, "similarity": 30})
    for series in ("total", "similarity"):
        for x, y in points_of(html, series):
            assert 0 <= x <= 320 and 0 <= y <= 200
