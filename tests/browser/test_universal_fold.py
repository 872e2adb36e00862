"""One perturbation for many pictures, from learning it to the protected picture."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.hands import download, pixels, put, run, upload


def test_what_is_learnt_is_added_to_the_picture(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
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
