"""One perturbation for many pictures, and the Explore room: stopped, then a map, its pictures and its table."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.hands import choose, download, end_of_run, enter, pixels, put, run, upload


def what_is_learnt_is_added_to_the_picture(opened: Page, photo: Path, tmp_path: Path) -> None:
    put(opened, "protect-steps", 3)
    opened.get_by_role("button", name="One perturbation for many pictures").click()
    opened.click("#universal-add")
    expect(opened.locator("#run-status .failed")).to_contain_text("no perturbation yet")
    opened.set_input_files("#universal-works input[type=file]", [photo])
    name = rf"{photo.stem}\s*\{photo.suffix}"  # Gradio parts them where the column is narrow
    expect(opened.locator("#universal-works")).to_contain_text(re.compile(name))
    assert "learnt over 1 picture" in run(opened, "#universal-learn")
    expect(opened.locator("#universal-file").get_by_role("link")).to_be_visible()
    assert "protected" in run(opened, "#universal-add")
    change = abs(pixels(download(opened, "pane-protected", tmp_path)) - pixels(photo))
    assert 0 < change.max() <= 16


def test_what_is_learnt_is_added_and_a_stopped_exploration_keeps_what_is_done_and_a_map_has_its_table(
    opened: Page, photo: Path, tmp_path: Path
) -> None:
    upload(opened, photo)
    what_is_learnt_is_added_to_the_picture(opened, photo, tmp_path)
    put(opened, "protect-steps", 300)
    enter(opened, "explore")
    opened.click("#explore-run")
    opened.wait_for_selector("#explore-status .running:has-text('protecting')")
    expect(opened.locator("#explore-stop")).to_be_enabled()
    opened.keyboard.press("Escape")
    assert "0 of 4 cells" in end_of_run(opened, "explore-status")
    expect(opened.locator("#explore-run")).to_be_enabled()

    enter(opened, "story")
    put(opened, "protect-steps", 4)
    choose(opened, "purify-method", "JPEG")
    enter(opened, "explore")
    choose(opened, "explore-y", "Purify: Trust radius")
    expect(opened.locator("#explore-hint")).to_contain_text("jpeg has no setting Trust radius")
    choose(opened, "explore-y", "Nothing more")
    expect(opened.locator("#explore-y_from")).to_have_count(0)
    put(opened, "explore-x_count", 2)
    choose(opened, "explore-y", "Purify: JPEG quality")
    expect(opened.locator("#explore-y_to input")).to_have_value("80")  # twice the default
    put(opened, "explore-y_count", 2)
    expect(opened.locator("#explore-hint")).to_contain_text("4 cells: 2 protections and 4 purifications")
    assert "4 of 4 cells" in run(opened, "#explore-run", "explore-status")
    expect(opened.locator("#explore-chart .heat")).to_have_count(4)
    expect(opened.locator("#explore-pictures .thumbnail-item")).to_have_count(4)
    expect(opened.locator("#explore-verdict")).to_contain_text("Protection left after purifying: best for the purifier")
    choose(opened, "explore-measure", "Purified to original, SSIM")
    expect(opened.locator("#explore-verdict")).to_contain_text("SSIM: best")
    with opened.expect_download() as caught:
        opened.locator("#explore-files a", has_text="KB").or_(opened.locator("#explore-files a")).first.click()
    caught.value.save_as(tmp_path / "explore.csv")
    with (tmp_path / "explore.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 4
    for width in (1024, 390):
        opened.set_viewport_size({"width": width, "height": 844})
        expect(opened.locator("#explore-chart svg.explored")).to_be_visible()
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
