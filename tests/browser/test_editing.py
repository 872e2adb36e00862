"""The Edit and the Generate section as a stranger uses them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from impress_ui.pictures.images import read_metadata
from tests.browser.hands import choose, clear, download, end_of_run, enter, make_quick, paint, pixels, put, run, upload

EDITS = ("original", "protected", "purified")


def edit(page: Page) -> str:
    return run(page, "#edit-run", "edit-status")


def ask(page: Page, section: str, prompt: str) -> None:
    page.locator(f"#{section}-prompt").locator("textarea, input").fill(prompt)


def test_protect_purify_and_edit_all_three(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    make_quick(opened)
    run(opened)
    ask(opened, "edit", "a mosaic of the sea")
    put(opened, "edit-sampling_steps", 4)
    status = edit(opened)
    assert "3 pictures edited in" in status and "embedded on" in status and "peak memory" in status
    files = [download(opened, f"edit-of-{name}", tmp_path) for name in EDITS]
    original, protected, purified = (pixels(path) for path in files)
    assert not np.array_equal(original, protected) and not np.array_equal(protected, purified)
    metadata = read_metadata(files[2])
    assert metadata["picture"] == "purified" and metadata["settings"]["edit"]["prompt"] == "a mosaic of the sea"
    for name in EDITS[1:]:
        figures = opened.locator(f"#edits .pane-{name} dd").all_text_contents()
        score, _, clean = figures.pop().partition(" clean: ")
        assert len(figures) == 5 and all(float(figure) >= 0 for figure in (*figures, score, clean))
    ssim = float(opened.locator("#edits .pane-purified dd").first.text_content())
    assert metadata["against_clean_edit"]["ssim"] == pytest.approx(ssim, abs=6e-4)
    expect(opened.locator("#edit-verdict")).to_contain_text(re.compile(r"The protection .*SSIM \d\.\d\d to the clean"))

    # The edits can be laid under the slider as well.
    choose(opened, "left", "Edit of the original")
    choose(opened, "right", "Edit of the protected")
    expect(opened.locator("#figures")).to_contain_text("Edit of the protected against Edit of the original")
    expect(opened.locator("#before-after img")).to_have_count(2)

    # Purifying again spares the other edits, and says that one of them is of an older picture.
    run(opened, "#run-purify")
    expect(opened.locator("#edits .pane-purified")).to_contain_text("Made before the last run")
    expect(opened.locator("#edits .pane-protected")).to_contain_text("SSIM")
    run(opened)
    expect(opened.locator("#edit-verdict")).to_contain_text("before the last run")
    expect(opened.locator("#edit-of-original img")).to_be_visible()

    clear(opened)
    upload(opened, photo)
    expect(opened.locator("#edit-of-original img")).to_have_count(0)
    expect(opened.locator("#edit-verdict")).to_contain_text("whether the protection holds")

    # Without an original there is no clean edit.
    run(opened, "#run-purify")
    assert "2 pictures edited" in edit(opened)
    expect(opened.locator("#edit-of-original img")).to_have_count(0)
    expect(opened.locator("#edit-verdict")).to_contain_text("no clean edit to compare with")


def test_inpainting_within_a_painted_mask(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    expect(opened.locator("#edit-mask canvas")).to_have_count(0)
    expect(opened.locator("#edit-of-original img")).to_have_count(0)
    put(opened, "edit-sampling_steps", 4)
    choose(opened, "edit-mode", "Inpainting")
    opened.click("#edit-run")
    expect(opened.locator(".toast-body")).to_contain_text("Inpainting needs a mask")
    expect(opened.locator("#edit-run")).to_be_enabled()
    paint(opened, "edit-mask")
    assert "1 picture edited" in edit(opened)
    changed = (pixels(download(opened, "edit-of-original", tmp_path)) != pixels(photo)).any(axis=2)
    assert 0 < changed.mean() < 0.9
    expect(opened.locator("#edit-verdict")).to_contain_text("edit of the original alone")


def test_stop_shows_the_edit_as_it_stands(opened: Page, photo: Path) -> None:
    upload(opened, photo)
    expect(opened.locator("#pane-original img")).to_be_visible(timeout=180_000)  # a cold start takes its time
    put(opened, "edit-sampling_steps", 250)
    expect(opened.locator("#edit-of-original img")).to_have_count(0)
    opened.click("#edit-run")
    expect(opened.locator("#edit-of-original img")).to_be_visible(timeout=180_000)  # the first edit loads the model
    expect(opened.locator("#run-both")).to_be_disabled()
    opened.click("#edit-stop")
    assert re.search(r"at step \d+ of \d+; the partial result is kept", end_of_run(opened, "edit-status"))
    expect(opened.locator("#edit-of-original img")).to_be_visible()
    expect(opened.locator("#edit-verdict")).to_contain_text("where it was stopped")
    expect(opened.locator("#edit-run")).to_be_enabled()


def test_generate_from_an_example_prompt(opened: Page, tmp_path: Path) -> None:
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
    ask(opened, "generate", "a photograph of a mountain beside a lake " * 8)
    opened.click("#generate-run")
    expect(opened.locator("#generate-status")).to_contain_text("The prompt is too long")
    expect(opened.locator("#generate-run")).to_be_enabled()
