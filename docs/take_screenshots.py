"""Retake the pictures in docs/screenshots: start the app, then ``python docs/take_screenshots.py URL [ROOM ...]``.

Every room of the page that has something to press is used and shown, the story also by night and on a phone. Needs
playwright and a chromium on the path; ten minutes on two idle cores, of which the study of a style takes most.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
MARGIN = 14
MOST = 20 * 60_000  # milliseconds that a job may take


def main(url: str, rooms: Sequence[str]) -> None:
    """The rooms of those names, or all of them and the story by night."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        if not rooms or "night" in rooms:
            page = opened(browser, url, "dark")
            tell_the_story(page, 2, running=False)
            shoot(page, "night", full=True)
            page.close()
        page = opened(browser, url, "light")
        if not rooms or "story" in rooms:
            tell_the_story(page, 0, running=True)
            shoot(page, "story", full=True)
            resize(page, PHONE)
            shoot(page, "phone", full=True)
            resize(page, DESK)
        elif "stress" in rooms:
            protect(page, 0)
        quick(page)
        for room, use in ROOMS.items():
            if rooms and room not in rooms:
                continue
            page.click(f"#room-{room}-button")
            use(page)
            page.wait_for_timeout(1000)
            shoot(page, room, part="#rooms-area")


def opened(browser: Browser, url: str, theme: str) -> Page:
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(120_000)
    page.goto(f"{url}?__theme={theme}")
    page.locator("#examples img").last.wait_for()  # what is drawn last; before, the page may still say that it loads
    return page


def protect(page: Page, example: int) -> None:
    """What the stress test is about."""
    page.locator("#examples button").nth(example).click()
    page.wait_for_selector("#pane-original img")
    page.click("#run-protect")
    ended(page, "run-status")


def quick(page: Page) -> None:
    """The preset for a first look; a study of a few works shows the room as well as one of many."""
    page.click("#preset input")
    page.get_by_role("option", name="Quick").click()
    page.wait_for_function("document.querySelector('#protect-steps input[type=number]').value === '20'")
    field = page.locator("#mimic-works input[type=number]")
    page.click("#room-style-button")
    field.fill("6")
    field.press("Tab")


def tell_the_story(page: Page, example: int, *, running: bool) -> None:
    """From an example to its edits; once more on the way, where it is asked for."""
    page.locator("#examples button").nth(example).click()
    page.wait_for_selector("#pane-original img")
    page.click("#run-both")
    page.wait_for_selector(".line-total", timeout=MOST)
    if running:
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
}


def ended(page: Page, status: str) -> None:
    page.wait_for_selector(f"#{status} .run-status.running, #{status} .run-status.done", timeout=MOST)
    page.wait_for_selector(f"#{status} .run-status.done", timeout=MOST)


def resize(page: Page, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    page.wait_for_timeout(1000)


def shoot(page: Page, name: str, *, full: bool = False, part: str | None = None) -> None:
    """A part stands in some of the paper around it."""
    clip = None
    if part:
        box = page.locator(part).evaluate(
            "one => { const at = one.getBoundingClientRect(); "
            "return { x: at.x + scrollX, y: at.y + scrollY, width: at.width, height: at.height }; }"
        )
        x, y = max(0, box["x"] - MARGIN), max(0, box["y"] - MARGIN)
        clip = {"x": x, "y": y, "width": box["x"] + box["width"] + MARGIN - x, "height": box["height"] + 2 * MARGIN}
    with Image.open(io.BytesIO(page.screenshot(full_page=full or part is not None, clip=clip))) as shot:
        shot.convert("RGB").save(FOLDER / f"{name}.webp", quality=85, method=6)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
