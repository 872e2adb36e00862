"""The bench as a stranger uses it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from impress_ui.pictures.images import read_metadata
from tests.browser.hands import (
    choose,
    download,
    end_of_run,
    make_quick,
    mark,
    paint,
    pixels,
    put,
    run,
    upload,
    without_check,
)

TWO_MOVES = """slider => {
  slider.focus();
  for (const _ of [1, 2]) {
    slider.stepUp();
    for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
  }
}"""


def test_upload_protect_purify_download_nudge_and_back(opened: Page, photo: Path, tmp_path: Path) -> None:
    opened.locator("#examples button").nth(4).click()
    expect(opened.locator("#notes")).to_contain_text(re.compile(r"Reduced from \d+x\d+ to 256x\d+ pixels."))
    upload(opened, photo)
    expect(opened.locator("#pane-purified img")).to_have_count(0)  # the example's results are gone
    make_quick(opened)
    without_check(opened)
    a_slider_runs_nothing_before_there_is_a_protection(opened)
    mark(opened)
    opened.keyboard.press("Control+Enter")
    assert re.search(r"protected in .* purified in", end_of_run(opened))
    for pane in ("pane-original", "pane-protected", "pane-reconstructed", "pane-purified"):
        expect(opened.locator(f"#{pane} img")).to_be_visible()
    expect(opened.locator("#answer")).to_contain_text(re.compile(r"The protection moves|This protection does next to"))

    original = download(opened, "pane-original", tmp_path)
    protected = download(opened, "pane-protected", tmp_path)
    purified = download(opened, "pane-purified", tmp_path)
    assert np.array_equal(pixels(original), pixels(photo))
    assert 0 < np.abs(pixels(protected) - pixels(photo)).max() <= 16
    assert np.abs(pixels(purified) - pixels(protected)).max() > 0
    assert read_metadata(protected)["settings"]["protect"]["steps"] == 6
    assert protected.name == "pane-protected-protected.png"

    rows = opened.locator("table.measures tbody tr")
    assert rows.count() >= 7
    assert "0.000" in rows.nth(0).inner_text() and "JPEG" in opened.inner_text("#measures")
    assert opened.locator(".own-scale .line-latent-distance").get_attribute("points").count(",") == 7
    assert opened.locator(".own-scale .line-total").get_attribute("points").count(",") == 6
    expect(opened.locator("#before-after img")).to_have_count(2)
    opened.locator("#difference").scroll_into_view_if_needed()  # pictures far below the window are loaded late
    expect(opened.locator("#difference img")).to_be_visible()
    expect(opened.locator("#figures")).to_contain_text("Purified against Original")
    what_is_found_in_a_picture_is_shown(opened)

    sliders_answer_and_leave_ghosts_that_can_be_taken_back(opened)

    # The downloaded file, uploaded again, is the same picture to the last bit; purified, its original is unknown.
    upload(opened, protected)
    expect(opened.locator("#notes")).to_contain_text("protected with this program")
    assert np.array_equal(pixels(download(opened, "pane-original", tmp_path)), pixels(protected))
    expect(opened.locator("#hint")).to_contain_text("takes your upload as it is")
    assert "purified in" in run(opened, "#run-purify")
    expect(opened.locator("#pane-original img")).to_have_count(0)
    expect(opened.locator("#panes .pane-original")).to_contain_text("Unknown")
    expect(opened.locator("#answer")).to_contain_text("The original is unknown")
    assert np.array_equal(pixels(download(opened, "pane-protected", tmp_path)), pixels(protected))
    cells = opened.locator("tr.row-purified td").all_inner_texts()
    assert cells[0] == "—" and float(cells[8]) > 0

    # Without an original there is no clean edit.
    put(opened, "edit-sampling_steps", 2)
    assert "2 pictures edited" in run(opened, "#edit-run", "edit-status")
    expect(opened.locator("#edit-of-original img")).to_have_count(0)
    expect(opened.locator("#edit-verdict")).to_contain_text("no clean edit to compare with")


def what_is_found_in_a_picture_is_shown(opened: Page) -> None:
    """A protection of 16 levels is found, as a budget in the table and as what differs from the picture without it."""
    row = opened.locator("tr.row-protected td").all_inner_texts()
    expect(opened.locator(".verdicts")).to_contain_text("grey levels in it")
    assert float(row[7]) > 8
    choose(opened, "left", re.compile("^Protected$"))
    choose(opened, "right", "Left, as the learned purifier leaves it")
    figures = opened.locator("#figures")
    expect(figures).to_contain_text("Left, as the learned purifier leaves it against Protected")
    assert float(figures.locator("dd").nth(5).inner_text()) > 4  # RMS of what is found
    expect(opened.locator("#before-after img")).to_have_count(2)
    choose(opened, "left", re.compile("^Original$"))
    choose(opened, "right", re.compile("^Purified$"))
    expect(figures).to_contain_text("Purified against Original")


def a_slider_runs_nothing_before_there_is_a_protection(opened: Page) -> None:
    opened.locator("#live input").check()
    nudge(opened, "purify-alpha")
    opened.wait_for_timeout(600)
    expect(opened.locator("#run-status .idle")).to_be_visible()
    nudge(opened, "purify-alpha", "ArrowLeft")
    opened.locator("#live input").uncheck()


def sliders_answer_and_leave_ghosts_that_can_be_taken_back(opened: Page) -> None:
    """A slider that is let go purifies again; the curves before it stay in sight, and a click takes one back."""
    opened.locator("#live input").check()
    first = opened.locator("#pane-purified img").get_attribute("src")
    protected = opened.locator("#pane-protected img").get_attribute("src")
    expect(opened.locator("#curves .own-scale .ghost")).to_have_count(0)

    mark(opened)
    opened.locator("#purify-alpha input[type=range]").evaluate(TWO_MOVES)  # the second comes before the first has run
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

    # One that is taken back while a slider's run is under way stays, with its buttons.
    kept = opened.locator("#pane-purified img").get_attribute("src")
    nudge(opened, "purify-alpha")
    end_of_run(opened)
    put(opened, "purify-steps", 120)
    expect(opened.locator("#pane-purified img")).to_have_attribute("src", re.compile("preview-"))
    opened.locator("#curves .own-scale .ghost.line-total").first.dispatch_event("click")
    expect(opened.locator("#pane-purified img")).to_have_attribute("src", kept)
    expect(opened.locator("#run-both")).to_be_enabled()
    opened.wait_for_timeout(700)  # Gradio sends the last update of what has ended once more
    expect(opened.locator("#pane-purified img")).to_have_attribute("src", kept)
    expect(opened.locator("#purify-steps input[type=number]")).to_have_value("5")
    expect(opened.locator("#run-status .done")).to_be_visible()

    # Switched off, a slider is a slider.
    opened.locator("#live input").uncheck()
    nudge(opened, "purify-alpha")
    opened.wait_for_timeout(600)
    expect(opened.locator("#run-status .running")).to_have_count(0)


def nudge(page: Page, knob: str, key: str = "ArrowRight") -> None:
    page.locator(f"#{knob} input[type=range]").focus()
    mark(page)
    page.keyboard.press(key)


def test_stop_keeps_the_partial_result_and_a_closed_tab_frees_the_device(
    opened: Page, app_url: str, photo: Path, tmp_path: Path
) -> None:
    upload(opened, photo)
    put(opened, "protect-steps", 2000)
    opened.click("#run-both")
    opened.wait_for_selector(".own-scale .line-latent-distance")
    expect(opened.locator(".own-scale .line-total")).to_have_count(0)
    expect(opened.locator("#run-protect")).to_be_disabled()
    opened.hover("#pane-original")
    opened.locator("#pane-original [aria-label=Fullscreen]").click()
    expect(opened.locator(".block.fullscreen")).to_have_count(1)
    opened.keyboard.press("Escape")  # makes the picture small again, and stops nothing
    expect(opened.locator(".block.fullscreen")).to_have_count(0)
    expect(opened.locator("#stop")).to_be_enabled()
    opened.keyboard.press("Escape")
    status = end_of_run(opened)
    assert re.search(r"protected at step \d+ of 2000; the partial result is kept", status)
    assert "purified" not in status
    assert 0 < np.abs(pixels(download(opened, "pane-protected", tmp_path)) - pixels(photo)).max() <= 16
    expect(opened.locator("#run-both")).to_be_enabled()
    expect(opened.locator("#stop")).to_be_disabled()

    opened.click("#run-both")
    opened.wait_for_selector("#run-status .running:has-text('step')")
    other = opened.context.new_page()
    opened.close()
    other.goto(app_url)
    upload(other, photo)
    put(other, "protect-steps", 2)
    without_check(other)
    began = time.monotonic()
    assert "protected in" in run(other, "#run-protect")
    assert time.monotonic() - began < 20


def test_a_painted_mask_keeps_the_rest_and_methods_bring_their_knobs_and_curves(
    opened: Page, photo: Path, tmp_path: Path
) -> None:
    upload(opened, photo)
    expect(opened.locator("#pane-protected img")).to_have_count(0)
    put(opened, "protect-steps", 4)
    without_check(opened)
    paint(opened, "mask")
    run(opened, "#run-protect")
    changed = (pixels(download(opened, "pane-protected", tmp_path)) != pixels(photo)).any(axis=2)
    assert 0 < changed.mean() < 0.9

    # Inverted, and by another method: two of them show what the settings' tests hold of all.
    opened.locator("#run-invert_mask input").check()
    protect_with(opened, "AdvDM (Mist", ("budget",), ("perceptual_budget", "style", "concept"), "denoising-error")
    others = (pixels(download(opened, "pane-protected", tmp_path)) != pixels(photo)).any(axis=2)
    assert others.any() and not (changed & others).any()
    protect_with(opened, "GLAZE", ("style", "perceptual_budget"), ("budget", "concept"), "style-distance", "500")
    expect(opened.locator(".own-scale .line-perceptual")).to_have_count(1)
    choose(opened, "protect-method", "encoder attack")
    expect(opened.locator("#protect-steps input[type=number]")).to_have_value("40")

    # A knob shows while what it needs is there.
    choose(opened, "protect-norm", re.compile("^L2"))
    expect(opened.locator("#protect-l2_radius")).to_be_visible()
    expect(opened.locator("#protect-budget")).to_be_hidden()
    choose(opened, "protect-target", "Uploaded picture")
    expect(opened.get_by_text("Target picture", exact=True)).to_be_visible()
    choose(opened, "protect-norm", re.compile("^L∞"))
    expect(opened.locator("#protect-budget")).to_be_visible()
    expect(opened.locator("#protect-l2_radius")).to_be_hidden()


def protect_with(page: Page, method: str, shown: tuple, hidden: tuple, line: str, steps: str = "") -> None:
    """Two steps of a method, and what of the page is its own: the knobs, its number of steps, its curve."""
    choose(page, "protect-method", method)
    for name in shown:
        expect(page.locator(f"#protect-{name}")).to_be_visible()
    for name in hidden:
        expect(page.locator(f"#protect-{name}")).to_be_hidden()
    if steps:
        expect(page.locator("#protect-steps input[type=number]")).to_have_value(steps)
    put(page, "protect-steps", 2)
    assert "protected in" in run(page, "#run-protect")
    assert page.locator(f".own-scale .line-{line}").get_attribute("points").count(",") == 3
