"""A slider that is let go purifies again; the curves before it stay in sight, and a click takes one back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from tests.browser.hands import end_of_run, make_quick, mark, run, upload, without_check


def nudge(page: Page, knob: str, key: str = "ArrowRight") -> None:
    page.locator(f"#{knob} input[type=range]").focus()
    mark(page)
    page.keyboard.press(key)


def test_sliders_answer_and_leave_ghosts_that_can_be_taken_back(opened: Page, photo: Path) -> None:
    upload(opened, photo)
    make_quick(opened)
    without_check(opened)
    opened.locator("#live input").check()
    nudge(opened, "purify-alpha")
    opened.wait_for_timeout(600)
    expect(opened.locator("#run-status .idle")).to_be_visible()  # nothing is protected yet, so nothing runs
    nudge(opened, "purify-alpha", "ArrowLeft")
    run(opened)
    first = opened.locator("#pane-purified img").get_attribute("src")
    protected = opened.locator("#pane-protected img").get_attribute("src")
    expect(opened.locator("#curves .own-scale .ghost")).to_have_count(0)

    nudge(opened, "purify-alpha")
    nudge(opened, "purify-alpha")  # the second move comes before the first has run
    assert "purified in" in end_of_run(opened)
    expect(opened.locator("#pane-purified img")).not_to_have_attribute("src", first)
    expect(opened.locator("#pane-protected img")).to_have_attribute("src", protected)
    ghost = opened.locator("#curves .own-scale .ghost.line-total")
    expect(ghost).to_have_count(1)
    expect(ghost.locator("title")).to_have_text(re.compile(r"run 1: α 0\.1, Δ_L 0\.5, 5 steps"))
    expect(opened.locator("#panes .pane-purified .change").first).to_have_text(re.compile(r"[+-]\d"))
    expect(opened.locator("#measures tbody tr")).not_to_have_count(3)  # the controls stay

    # Under the pointer a curve says its values, and shows the picture of that step while it is there.
    box = opened.locator("#curves figure:has(.line-total) svg").bounding_box()
    purified = opened.locator("#pane-purified img").get_attribute("src")
    opened.mouse.move(box["x"] + 0.14 * box["width"], box["y"] + box["height"] / 2)
    expect(opened.locator("#curves figure:has(.line-total) .readout")).to_have_text(re.compile(r"step \d: total [\d.]"))
    expect(opened.locator("#pane-purified img")).to_have_attribute("src", re.compile("preview-"))
    opened.mouse.move(box["x"], 5)
    expect(opened.locator("#pane-purified img")).to_have_attribute("src", purified)

    # Another budget protects anew, and begins with no ghosts.
    nudge(opened, "protect-budget")
    assert re.search("protected in .* purified in", end_of_run(opened))
    expect(opened.locator("#curves .own-scale .ghost")).to_have_count(0)
    nudge(opened, "purify-steps")
    end_of_run(opened)
    expect(opened.locator("#purify-steps input[type=number]")).to_have_value("6")
    opened.locator("#curves .own-scale .ghost.line-total").dispatch_event("click")
    expect(opened.locator("#purify-steps input[type=number]")).to_have_value("5")
    expect(opened.locator("#curves .own-scale .ghost")).to_have_count(0)

    # Switched off, a slider is a slider.
    opened.locator("#live input").uncheck()
    nudge(opened, "purify-alpha")
    opened.wait_for_timeout(600)
    expect(opened.locator("#run-status .running")).to_have_count(0)
