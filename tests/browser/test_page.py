"""The page as a stranger uses it."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from impress_ui.pictures.images import read_metadata
from tests.browser.hands import choose, clear, download, end_of_run, make_quick, paint, pixels, put, run, upload


def test_upload_protect_purify_download_and_back(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    expect(opened.locator("#pane-original img")).to_be_visible()
    make_quick(opened)
    assert re.search(r"protected in .* purified in", run(opened))
    for pane in ("pane-original", "pane-protected", "pane-reconstructed", "pane-purified"):
        expect(opened.locator(f"#{pane} img")).to_be_visible()

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
    assert opened.locator(".line-latent-distance").get_attribute("points").count(",") == 7
    assert opened.locator(".line-total").get_attribute("points").count(",") == 6
    expect(opened.locator("#before-after img")).to_have_count(2)
    opened.locator("#difference").scroll_into_view_if_needed()  # pictures far below the window are loaded late
    expect(opened.locator("#difference img")).to_be_visible()
    expect(opened.locator("#figures")).to_contain_text("Purified against Original")

    # The downloaded file, uploaded again, is the same picture to the last bit.
    clear(opened)
    upload(opened, protected)
    expect(opened.locator("#notes")).to_contain_text("protected with this program")
    assert np.array_equal(pixels(download(opened, "pane-original", tmp_path)), pixels(protected))


def test_somebody_else_s_protected_picture(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    expect(opened.locator("#hint")).to_contain_text("takes your upload as it is")
    make_quick(opened)
    assert "purified in" in run(opened, "#run-purify")
    expect(opened.locator("#pane-original img")).to_have_count(0)
    expect(opened.locator("#panes .pane-original")).to_contain_text("Unknown")
    assert np.array_equal(pixels(download(opened, "pane-protected", tmp_path)), pixels(photo))
    cells = opened.locator("tr.row-purified td").all_inner_texts()
    assert cells[0] == "—" and float(cells[7]) > 0


def test_stop_keeps_the_partial_result(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    put(opened, "protect-steps", 2000)
    opened.click("#run-both")
    opened.wait_for_selector(".line-latent-distance")
    expect(opened.locator(".line-total")).to_have_count(0)
    expect(opened.locator("#run-protect")).to_be_disabled()
    opened.keyboard.press("Escape")
    status = end_of_run(opened)
    assert re.search(r"protected at step \d+ of 2000; the partial result is kept", status)
    assert "purified" not in status
    assert 0 < np.abs(pixels(download(opened, "pane-protected", tmp_path)) - pixels(photo)).max() <= 16
    expect(opened.locator("#run-both")).to_be_enabled()
    expect(opened.locator("#stop")).to_be_disabled()


def test_a_closed_tab_frees_the_device(opened: Page, app_url: str, photo: Path) -> None:
    upload(opened, photo)
    put(opened, "protect-steps", 2000)
    opened.click("#run-both")
    opened.wait_for_selector(".line-latent-distance")
    other = opened.context.new_page()
    opened.close()
    other.goto(app_url)
    upload(other, photo)
    make_quick(other)
    began = time.monotonic()
    assert "protected in" in run(other, "#run-protect")
    assert time.monotonic() - began < 20


def test_example_and_keyboard(opened: Page) -> None:
    opened.locator("#examples button").first.click()
    expect(opened.locator("#notes")).to_contain_text("Reduced from 720x360 to 256x128 pixels.")
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
    bad = tmp_path / "text.png"
    bad.write_text("I am no picture.")
    opened.set_input_files("#upload input[type=file]", bad)
    expect(opened.locator(".toast-body")).to_contain_text("text.png is not a picture that can be read")
    expect(opened.locator("#notes")).to_contain_text("text.png is not a picture")
    expect(opened.locator("#pane-protected img")).to_be_visible()
    assert opened.locator("#protect-steps input[type=number]").input_value() == "6"
    # What was made before is still there to go on with.
    assert "purified in" in run(opened, "#run-purify")


def test_nothing_to_do_gets_a_sentence(opened: Page) -> None:
    opened.click("#run-both")
    expect(opened.locator(".toast-body")).to_contain_text("There is no picture yet")
    expect(opened.locator("#run-both")).to_be_enabled()


def test_the_diffusion_attack_draws_its_own_curve(opened: Page, photo: Path) -> None:
    upload(opened, photo)
    choose(opened, "protect-method", "PhotoGuard, diffusion attack")
    put(opened, "protect-steps", 2)
    assert "protected in" in run(opened, "#run-protect")
    assert opened.locator(".line-edit-distance").get_attribute("points").count(",") == 3


def test_a_recipe_fills_the_knobs(opened: Page) -> None:
    steps = opened.locator("#purify-steps input[type=number]")
    default = steps.input_value()
    for label, value in (("paper (editing)", "1000"), ("paper (style)", "3000"), ("fast (ours)", default)):
        choose(opened, "purify-recipe", label)
        expect(steps).to_have_value(value)


def test_glaze_brings_its_steps_and_its_curves(opened: Page, photo: Path) -> None:
    steps = opened.locator("#protect-steps input[type=number]")
    default = steps.input_value()
    choose(opened, "protect-method", "GLAZE")
    expect(steps).to_have_value("500")
    upload(opened, photo)
    put(opened, "protect-steps", 3)
    assert "protected in" in run(opened, "#run-protect")
    expect(opened.locator(".line-style-distance")).to_have_count(1)
    expect(opened.locator(".line-perceptual")).to_have_count(1)
    choose(opened, "protect-method", "encoder attack")
    expect(steps).to_have_value(default)


def test_a_protection_shows_its_own_knobs(opened: Page, photo: Path) -> None:
    for label, shown, hidden in (
        ("AdvDM (Mist", ("budget", "adaptive"), ("perceptual_budget", "style", "concept")),
        ("Nightshade", ("concept", "perceptual_budget"), ("budget", "style")),
        ("GLAZE", ("style", "perceptual_budget"), ("budget", "concept")),
        ("SDS(−)", ("budget",), ("concept",)),
    ):
        choose(opened, "protect-method", label)
        for name in shown:
            expect(opened.locator(f"#protect-{name}")).to_be_visible()
        for name in hidden:
            expect(opened.locator(f"#protect-{name}")).to_be_hidden()
    upload(opened, photo)
    put(opened, "protect-steps", 2)
    assert "protected in" in run(opened, "#run-protect")
    expect(opened.locator(".line-denoising-error")).to_have_count(1)


def test_a_painted_mask_keeps_the_rest(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    expect(opened.locator("#pane-original img")).to_be_visible()
    make_quick(opened)
    opened.locator("#mask-area button").first.click()
    paint(opened, "mask")
    run(opened, "#run-protect")
    changed = (pixels(download(opened, "pane-protected", tmp_path)) != pixels(photo)).any(axis=2)
    assert 0 < changed.mean() < 0.9
    opened.locator("#run-invert_mask input").check()
    run(opened, "#run-protect")
    others = (pixels(download(opened, "pane-protected", tmp_path)) != pixels(photo)).any(axis=2)
    assert others.any() and not (changed & others).any()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_every_width_and_theme_fits(opened: Page, app_url: str, width: int, theme: str) -> None:
    opened.set_viewport_size({"width": width, "height": 900})
    opened.goto(f"{app_url}?__theme={theme}")
    opened.wait_for_selector("#run-both")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.wait_for_timeout(300)
    with Image.open(io.BytesIO(opened.screenshot())) as shot:
        brightness = sum(shot.convert("RGB").getpixel((3, 450))) / 3
    assert brightness > 200 if theme == "light" else brightness < 60
    for pane in ("pane", "edit-of"):
        boxes = [opened.locator(f"#{pane}-{name}").bounding_box() for name in ("original", "protected", "purified")]
        assert len({round(box["width"]) for box in boxes}) == 1
    assert len({round(box["y"]) for box in boxes}) == 1  # edits are compared side by side
    if width == 390:
        run_box, settings = (opened.locator(name).bounding_box() for name in ("#run-status", "#settings-area"))
        assert run_box["y"] < opened.locator("#edit-run").bounding_box()["y"] < settings["y"]
