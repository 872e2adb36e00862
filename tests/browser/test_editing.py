"""The Edit and the Generate section as a stranger uses them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from impress_ui.pictures.images import read_metadata
from tests.browser.hands import choose, download, end_of_run, enter, paint, pixels, put, run, upload, without_check


def test_a_prompt_generates_a_stopped_edit_shows_how_it_stands_and_a_painted_mask_bounds_the_next(
    opened: Page, photo: Path, tmp_path: Path
) -> None:
    an_example_prompt_generates(opened, tmp_path)
    enter(opened, "story")
    upload(opened, photo)
    expect(opened.locator("#pane-original img")).to_be_visible(timeout=180_000)  # a cold start takes its time
    put(opened, "edit-sampling_steps", 250)
    expect(opened.locator("#edit-of-original img")).to_have_count(0)
    expect(opened.locator("#edit-mask canvas")).to_have_count(0)
    opened.click("#edit-run")
    expect(opened.locator("#edit-of-original img")).to_be_visible(timeout=180_000)  # the first edit loads the model
    expect(opened.locator("#run-both")).to_be_disabled()
    opened.click("#edit-stop")
    assert re.search(r"at step \d+ of \d+; the partial result is kept", end_of_run(opened, "edit-status"))
    expect(opened.locator("#edit-of-original img")).to_be_visible()
    expect(opened.locator("#edit-verdict")).to_contain_text("where it was stopped")
    expect(opened.locator("#edit-run")).to_be_enabled()

    put(opened, "edit-sampling_steps", 4)
    choose(opened, "edit-mode", "Inpainting")
    opened.click("#edit-run")
    expect(opened.locator(".toast-body")).to_contain_text("Inpainting needs a mask")
    expect(opened.locator("#edit-run")).to_be_enabled()
    paint(opened, "edit-mask")
    assert "1 picture edited" in run(opened, "#edit-run", "edit-status")
    changed = (pixels(download(opened, "edit-of-original", tmp_path)) != pixels(photo)).any(axis=2)
    assert 0 < changed.mean() < 0.9
    expect(opened.locator("#edit-verdict")).to_contain_text("edit of the original alone")

    # Another run leaves the edit there, and says that it is older.
    put(opened, "protect-steps", 2)
    without_check(opened)
    run(opened, "#run-protect")
    expect(opened.locator("#edit-verdict")).to_contain_text("before the last run")
    expect(opened.locator("#edit-of-original img")).to_be_visible()


def an_example_prompt_generates(opened: Page, tmp_path: Path) -> None:
    enter(opened, "generate")
    opened.locator("#generate-examples button").nth(1).click()
    field = opened.locator("#generate-prompt").locator("textarea, input")
    expect(field).to_have_value("a photograph of a valley")
    put(opened, "generate-sampling_steps", 3)
    put(opened, "generate-count", 2)
    put(opened, "run-seed", 4)
    field.press("Enter")
    assert "2 pictures made in" in end_of_run(opened, "generate-status")
    expect(opened.locator("#gallery img")).to_have_count(2)
    expect(opened.locator("#generate-told")).to_be_visible()
    expect(opened.locator("#gallery")).to_contain_text("seed 5")
    opened.locator("#gallery img").nth(1).click()
    with opened.expect_download() as caught:
        opened.locator("#gallery").get_by_role("button", name="Download", exact=True).click()
    caught.value.save_as(tmp_path / "second.png")
    metadata = read_metadata(tmp_path / "second.png")
    assert metadata["kind"] == "generated" and metadata["settings"]["run"]["seed"] == 5

    # A mistake gets a sentence.
    field.fill("a photograph of a mountain beside a lake " * 8)
    opened.click("#generate-run")
    expect(opened.locator("#generate-status")).to_contain_text("The prompt is too long")
    expect(opened.locator("#generate-run")).to_be_enabled()
