"""The example's pictures as large as the screen, its curves on the other scale, and the curves as files.

The journey of tests/browser/test_first_sight.py walks it.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

SHOWN = "#viewer output"


def seen(page: Page) -> np.ndarray:
    """What the stage shows, as 8-bit RGB."""
    before = b""
    for _ in range(20):  # until what is drawn stands
        page.wait_for_timeout(60)
        shot = page.locator("#viewer .stage").screenshot()
        if shot == before:
            break
        before = shot
    with Image.open(io.BytesIO(shot)) as image:
        return np.asarray(image.convert("RGB")).astype(float)


def the_viewer_by_its_keys_and_the_curves_by_the_pointer(opened: Page, tmp_path: Path) -> None:
    opened.set_viewport_size({"width": 1024, "height": 768})
    expect(opened.locator("#edit-of-purified img")).to_be_visible()
    opened.focus("#edit-prompt textarea, #edit-prompt input")
    opened.keyboard.press("2")  # who writes, writes
    expect(opened.locator("#viewer")).to_be_hidden()
    opened.locator("#closer").focus()
    opened.keyboard.press("2")
    expect(opened.locator(SHOWN)).to_have_text("Protected")
    protected = seen(opened)
    opened.keyboard.down(" ")
    expect(opened.locator(SHOWN)).to_have_text("Original")
    original = seen(opened)
    opened.keyboard.up(" ")
    expect(opened.locator(SHOWN)).to_have_text("Protected")
    assert np.abs(protected - original).max() > 10 and np.array_equal(seen(opened), protected)

    opened.keyboard.press("d")
    expect(opened.locator(SHOWN)).to_have_text("Protected / Original")
    gain = float(opened.locator("#viewer input[type=range]").input_value())
    inside = (slice(200, 400), slice(200, 800))  # well inside the picture, whose frame is the page's own colour
    amplified = np.minimum(np.abs(protected - original)[inside] * gain, 255)
    assert np.abs(seen(opened)[inside] - amplified).mean() < 3
    opened.keyboard.press("f")
    halfway = (protected + original)[inside] / 2
    assert np.abs(seen(opened)[inside] - halfway).mean() < 2

    opened.keyboard.down("b")
    opacity = "getComputedStyle(document.querySelector('#viewer .over')).opacity === '{}'"
    opened.wait_for_function(opacity.format(0))
    opened.wait_for_function(opacity.format(1))
    opened.keyboard.up("b")
    expect(opened.locator("#viewer [data-look=fade]")).to_have_attribute("aria-pressed", "true")

    opened.click("#viewer [data-number='5']")
    opened.click("#viewer [data-look=one]")
    expect(opened.locator(SHOWN)).to_have_text("Edit of the protected")
    opened.click("#viewer [data-full]")
    opened.wait_for_function("document.fullscreenElement !== null")
    opened.evaluate("document.exitFullscreen()")
    opened.wait_for_function("document.fullscreenElement === null")
    opened.keyboard.press("Escape")
    expect(opened.locator("#viewer")).to_be_hidden()
    curves_change_their_scale_and_are_saved(opened, tmp_path)


def curves_change_their_scale_and_are_saved(opened: Page, tmp_path: Path) -> None:
    figure = opened.locator("#curves figure:has(.line-total)")
    line = "g:not([style]) .line-total"
    expect(figure.locator(".own-scale .line-total")).to_be_visible()
    expect(figure.locator(".flip-scale")).to_be_hidden()
    assert figure.locator(line).count() == 2  # one on each scale
    figure.locator(".flip").click()
    expect(figure.locator(".own-scale")).to_be_hidden()
    expect(figure.locator(".flip-scale")).to_be_visible()
    expect(figure.locator(".flip")).to_have_attribute("aria-pressed", "false")
    box = figure.locator("svg").bounding_box()
    opened.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    expect(figure.locator(".readout")).to_have_text(re.compile(r"step \d+: .*total 0\.0\d"))
    shown = re.search(r"total (0\.\d+)", figure.locator(".readout").inner_text())
    step = int(re.search(r"step (\d+)", figure.locator(".readout").inner_text())[1])

    files = {}
    for kind in ("csv", "svg", "png"):
        with opened.expect_download() as caught:
            opened.click(f"#save-curves [data-as={kind}]")
        files[kind] = tmp_path / caught.value.suggested_filename
        caught.value.save_as(files[kind])
        assert files[kind].name == f"impress-curves.{kind}"
    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
    assert len(rows) == 41 and {"latent distance", "total", "similarity"} <= set(rows[0])
    # The pointer's value is read off the drawing, whose linear axis has some hundred and fifty positions.
    assert float(shown[1]) == pytest.approx(float(rows[step]["total"]), abs=0.001)
    drawn = files["svg"].read_text()
    assert drawn.count("<polyline") == 6 and "var(" not in drawn and "Purification" in drawn
    with Image.open(files["png"]) as image:
        assert image.width > 3000 and len(image.convert("RGB").getcolors(1 << 24)) > 10
        assert min(image.convert("RGB").getpixel((3, 3))) > 200
    opened.evaluate("document.body.classList.add('dark')")  # as Gradio does for that theme
    with opened.expect_download() as caught:
        opened.click("#save-curves [data-as=png]")
    caught.value.save_as(files["png"])
    with Image.open(files["png"]) as image:
        assert max(image.convert("RGB").getpixel((3, 3))) < 60
