"""Retake the pictures in docs/screenshots: start the app, then ``python docs/take_screenshots.py URL [CHECKPOINT]``.

Every room of the page is used and shown at each width by day, the story also by night. Needs playwright and a chromium
on the path; a quarter of an hour on two cores.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
WIDTHS = {1440: 900, 1024: 800, 390: 844}
MOST = 20 * 60_000  # milliseconds that a job may take


def main(url: str, checkpoint: str | None) -> None:
    """The story in each theme, and every other room."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme, example in (("dark", 2), ("light", 0)):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{url}?__theme={theme}")
            page.wait_for_selector("#run-both")
            if checkpoint:
                page.get_by_text("Model and machine").click()
                page.locator("#run-checkpoint input, #run-checkpoint textarea").fill(checkpoint)
                page.get_by_text("Model and machine").click()
            if theme == "light":
                shoot(page, "first")
            tell_the_story(page, example, running=theme == "light")
            for width in WIDTHS if theme == "light" else [1440]:
                widen(page, width)
                shoot(page, f"story-{theme}-{width}", full=True)
            if theme == "light":
                for room, use in ROOMS.items():
                    widen(page, 1440)
                    page.click(f"#room-{room}-button")
                    use(page)
                    for width in WIDTHS:
                        widen(page, width)
                        shoot(page, f"{room}-{width}", part="#rooms-area")
            page.close()


def tell_the_story(page: Page, example: int, *, running: bool) -> None:
    """From an example to its edits; once more on the way, where it is asked for."""
    page.locator("#examples button").nth(example).click()
    page.wait_for_selector("#pane-original img")
    page.click("#run-both")
    page.wait_for_selector(".line-total", timeout=MOST)
    if running:
        page.wait_for_timeout(3000)
        shoot(page, "running")
    ended(page, "run-status")
    page.wait_for_selector("#before-after img")
    page.click("#edit-run")
    ended(page, "edit-status")


def job(room: str) -> Callable[[Page], None]:
    """A room that is used by pressing its button."""

    def use(page: Page) -> None:
        page.click(f"#{room}-run")
        ended(page, f"{room}-status")

    return use


def look(page: Page) -> None:
    """A room that has nothing to press."""


ROOMS: dict[str, Callable[[Page], None]] = {
    "stress": job("stress"),
    "explore": job("explore"),
    "style": job("style"),
    "generate": job("generate"),
    "history": look,
    "about": look,
}


def ended(page: Page, status: str) -> None:
    page.wait_for_selector(f"#{status} .run-status.running", timeout=60_000)
    page.wait_for_selector(f"#{status} .run-status.done", timeout=MOST)


def widen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    page.wait_for_timeout(1000)


def shoot(page: Page, name: str, *, full: bool = False, part: str | None = None) -> None:
    """256 colours keep the files small and the text sharp."""
    taken = page.locator(part).screenshot() if part else page.screenshot(full_page=full)
    with Image.open(io.BytesIO(taken)) as shot:
        shot.convert("RGB").quantize(256).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
