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
from tests.browser.hands import choose, clear, download, end_of_run, make_quick, paint, pixels, put, run, upload


def test_upload_protect_purify_download_and_back(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    expect(opened.locator("#pane-purified img")).to_have_count(0)  # the example's results are gone
    make_quick(opened)
    assert re.search(r"protected in .* purified in", run(opened))
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
    assert cells[0] == "—" and float(cells[7]) > 0


def test_stop_keeps_the_partial_result_and_a_closed_tab_frees_the_device(
    opened: Page, app_url: str, photo: Path, tmp_path: Path
) -> None:
    upload(opened, photo)
    put(opened, "protect-steps", 2000)
    opened.click("#run-both")
    opened.wait_for_selector(".own-scale .line-latent-distance")
    expect(opened.locator(".own-scale .line-total")).to_have_count(0)
    expect(opened.locator("#run-protect")).to_be_disabled()
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
    make_quick(other)
    began = time.monotonic()
    assert "protected in" in run(other, "#run-protect")
    assert time.monotonic() - began < 20


def test_an_example_and_the_keyboard(opened: Page) -> None:
    opened.locator("#examples button").nth(4).click()
    expect(opened.locator("#notes")).to_contain_text(re.compile(r"Reduced from \d+x\d+ to 256x\d+ pixels."))
    put(opened, "protect-steps", 2)
    put(opened, "purify-steps", 2)
    opened.keyboard.press("Control+Enter")
    opened.wait_for_selector(".run-status.running")
    assert "purified in" in end_of_run(opened)


def test_a_bad_file_gets_a_sentence_and_keeps_what_is_there(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    make_quick(opened)
    run(opened, "#run-protect")
    clear(opened)
    opened.click("#run-both")
    expect(opened.locator(".toast-body")).to_contain_text("There is no picture yet")
    expect(opened.locator("#run-both")).to_be_enabled()
    bad = tmp_path / "text.png"
    bad.write_text("I am no picture.")
    opened.set_input_files("#upload input[type=file]", bad)
    expect(opened.locator(".toast-body").last).to_contain_text("text.png is not a picture that can be read")
    expect(opened.locator("#notes")).to_contain_text("text.png is not a picture")
    expect(opened.locator("#pane-protected img")).to_be_visible()
    assert opened.locator("#protect-steps input[type=number]").input_value() == "6"
    # What was made before is still there to go on with.
    assert "purified in" in run(opened, "#run-purify")


def test_methods_and_recipes_bring_their_knobs_and_their_curves(opened: Page, photo: Path) -> None:
    purify_steps = opened.locator("#purify-steps input[type=number]")
    default = purify_steps.input_value()
    for label, value in (("paper (editing)", "1000"), ("paper (style)", "3000"), ("fast (ours)", default)):
        choose(opened, "purify-recipe", label)
        expect(purify_steps).to_have_value(value)
    upload(opened, photo)
    for label, shown, hidden, line in (
        ("SDS(−)", ("budget",), ("concept",), ""),
        ("Nightshade", ("concept", "perceptual_budget"), ("budget", "style"), ""),
        ("PhotoGuard, diffusion attack", ("budget",), ("style",), ".own-scale .line-edit-distance"),
        ("AdvDM (Mist", ("budget",), ("perceptual_budget", "style", "concept"), ".own-scale .line-denoising-error"),
        ("GLAZE", ("style", "perceptual_budget"), ("budget", "concept"), ".own-scale .line-style-distance"),
    ):
        choose(opened, "protect-method", label)
        for name in shown:
            expect(opened.locator(f"#protect-{name}")).to_be_visible()
        for name in hidden:
            expect(opened.locator(f"#protect-{name}")).to_be_hidden()
        if label == "GLAZE":
            expect(opened.locator("#protect-steps input[type=number]")).to_have_value("500")
        if line:
            put(opened, "protect-steps", 2)
            assert "protected in" in run(opened, "#run-protect")
            assert opened.locator(line).get_attribute("points").count(",") == 3
    expect(opened.locator(".own-scale .line-perceptual")).to_have_count(1)
    choose(opened, "protect-method", "encoder attack")
    expect(opened.locator("#protect-steps input[type=number]")).to_have_value("40")


def test_a_painted_mask_keeps_the_rest(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    expect(opened.locator("#pane-protected img")).to_have_count(0)
    make_quick(opened)
    paint(opened, "mask")
    run(opened, "#run-protect")
    changed = (pixels(download(opened, "pane-protected", tmp_path)) != pixels(photo)).any(axis=2)
    assert 0 < changed.mean() < 0.9
    opened.locator("#run-invert_mask input").check()
    run(opened, "#run-protect")
    others = (pixels(download(opened, "pane-protected", tmp_path)) != pixels(photo)).any(axis=2)
    assert others.any() and not (changed & others).any()
