"""Retake the pictures in docs/screenshots: start the app, then ``python docs/take_screenshots.py URL [CHECKPOINT]``.

Needs playwright and a chromium on the path.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
WIDTHS = {1440: 900, 1024: 800, 390: 844}


def main(url: str, checkpoint: str | None) -> None:
    """A whole run and an edit of an example in each theme, shown at each width."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme, example in (("light", 0), ("dark", 2)):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{url}?__theme={theme}")
            page.wait_for_selector("#run-both")
            if checkpoint:
                page.get_by_text("Model and machine").click()
                page.locator("#run-checkpoint input, #run-checkpoint textarea").fill(checkpoint)
                page.get_by_text("Model and machine").click()
            page.locator("#examples button").nth(example).click()
            page.wait_for_selector("#pane-original img")
            page.click("#run-both")
            page.wait_for_selector(".line-total", timeout=120_000)
            page.wait_for_timeout(3000)
            if theme == "light":
                shoot(page, "running", full=False)
            page.wait_for_selector("#run-status .run-status.done", timeout=300_000)
            page.wait_for_selector("#before-after img")
            page.click("#edit-run")
            page.wait_for_selector("#edit-status .run-status.done", timeout=300_000)
            for width, height in WIDTHS.items() if theme == "light" else [(1440, 900)]:
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(1000)
                shoot(page, f"done-{theme}-{width}", full=True)
            page.close()


def shoot(page: Page, name: str, *, full: bool) -> None:
    """256 colours keep the files small and the text sharp."""
    with Image.open(io.BytesIO(page.screenshot(full_page=full))) as shot:
        shot.convert("RGB").quantize(256).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
