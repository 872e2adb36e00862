"""Retake the pictures in docs/screenshots: start the app, then ``python docs/take_screenshots.py URL``.

The page opens on finished runs, so that most pictures are what a visitor sees first; one run is made, for the
history. Needs playwright and a chromium on the path; a minute on two idle cores.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
MARGIN = 14
MOST = 5 * 60_000  # milliseconds that the run may take


def main(url: str) -> None:
    """The bench by day, by night and on a phone; then the other rooms."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = opened(browser, url, "dark")
        shoot(page, "night")
        page.close()
        page = opened(browser, url, "light")
        shoot(page, "story")
        resize(page, PHONE)
        shoot(page, "phone")
        resize(page, DESK)
        for room in ("stress", "explore", "style", "generate"):
            page.click(f"#room-{room}-button")
            page.wait_for_timeout(1000)
            shoot(page, room, part="#rooms-area")
        page.click("#room-story-button")
        page.click("#run-both")
        page.wait_for_selector("#run-status .running", timeout=MOST)
        page.wait_for_selector("#run-status .done", timeout=MOST)
        page.click("#room-history-button")
        page.wait_for_timeout(1000)
        shoot(page, "history", part="#rooms-area")


def opened(browser: Browser, url: str, theme: str) -> Page:
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(120_000)
    page.goto(f"{url}?__theme={theme}")
    page.locator("#examples img").last.wait_for()  # what is drawn last; before, the page may still say that it loads
    page.wait_for_timeout(1000)
    return page


def resize(page: Page, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    page.wait_for_timeout(1000)


def shoot(page: Page, name: str, *, part: str | None = None) -> None:
    """A part stands in some of the paper around it."""
    clip = None
    if part:
        box = page.locator(part).evaluate(
            "one => { const at = one.getBoundingClientRect(); "
            "return { x: at.x + scrollX, y: at.y + scrollY, width: at.width, height: at.height }; }"
        )
        x, y = max(0, box["x"] - MARGIN), max(0, box["y"] - MARGIN)
        clip = {"x": x, "y": y, "width": box["x"] + box["width"] + MARGIN - x, "height": box["height"] + 2 * MARGIN}
    with Image.open(io.BytesIO(page.screenshot(full_page=part is not None, clip=clip))) as shot:
        shot.convert("RGB").save(FOLDER / f"{name}.webp", quality=85, method=6)


if __name__ == "__main__":
    main(sys.argv[1])
