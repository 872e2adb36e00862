"""What a visitor does with the page, and what comes of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, TimeoutError, expect

ENDED = ("done", "stopped", "failed")


def enter(page: Page, room: str) -> None:
    """Open one of the page's rooms by its tab."""
    page.click(f"#room-{room}-button")
    expect(page.locator(f"#room-{room}-button")).to_have_attribute("aria-selected", "true")


def upload(page: Page, path: Path) -> None:
    """A picture of one's own, in place of the one that is there; from then on nothing runs unasked."""
    page.locator("#live input").uncheck()
    if page.locator("#upload img").count():
        clear(page)
    page.set_input_files("#upload input[type=file]", path)
    page.locator("#upload img").wait_for()
    # The results of another picture are gone; the first that is opened waits for the engine, which is loading.
    expect(page.locator("#pane-purified img")).to_have_count(0, timeout=180_000)


def clear(page: Page) -> None:
    names = ("Clear", "Remove Image", "Bild entfernen")
    page.locator(", ".join(f"#upload [aria-label='{name}']" for name in names)).first.click()
    expect(page.locator("#upload img")).to_have_count(0)


# What lies in a closed fold is not drawn: by the beginning of a widget's name, the fold that it is in.
FOLDS = {
    "run-invert_mask": "mask-area", "mask": "mask-area", "run-": "run-area", "new-seed": "run-area",
    "protect-": "attack-area", "purify-": "purification-area", "edit-": "edit-more", "universal-": "universal-area",
    "blind-": "blind-area",
    "import": "keep-area", "export": "keep-area", "copy-link": "keep-area", "preset": "keep-area",
}  # fmt: skip


def unfold(page: Page, widget: str) -> None:
    """Open the fold that a widget lies in."""
    fold = next((fold for name, fold in FOLDS.items() if widget.startswith(name)), None)
    opens = fold is not None and page.locator(f"#{widget}").count() == 0
    if opens:
        page.locator(f"#{fold} button").first.click()
    expect(page.locator(f"#{widget}")).to_be_visible()
    if opens:
        page.wait_for_timeout(500)  # a fold that has just opened sets its widgets' first values a little later


def put(page: Page, knob: str, value: float) -> None:
    unfold(page, knob)
    field = page.locator(f"#{knob} input[type=number]")
    for _ in range(5):
        field.fill(str(value))
        field.press("Tab")
        page.wait_for_timeout(100)
        if float(field.input_value() or "nan") == value:
            return


def make_quick(page: Page) -> None:
    put(page, "protect-steps", 6)
    put(page, "purify-steps", 5)


def choose(page: Page, knob: str, label: str | re.Pattern[str]) -> None:
    unfold(page, knob)
    page.click(f"#{knob} input")
    page.get_by_role("option", name=label).click()
    expect(page.get_by_role("option")).to_have_count(0)  # the list fades away


def paint(page: Page, editor: str) -> None:
    """A short stroke in the middle of a mask editor."""
    unfold(page, editor)
    canvas = page.locator(f"#{editor} canvas").first
    canvas.scroll_into_view_if_needed()
    box = at_rest(page, canvas)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y + 4, steps=4)
    page.mouse.up()


def at_rest(page: Page, element: Locator) -> dict[str, float]:
    """Where an element is once it has stopped moving: a canvas is fitted to its picture after it has appeared."""
    box = None
    for _ in range(20):
        before, box = box, element.bounding_box()
        if box is not None and box == before:
            break
        page.wait_for_timeout(250)
    return box


def without_check(page: Page) -> None:
    """Protect without the check of what it outlives, for a journey that does not ask for it."""
    unfold(page, "run-check")
    page.locator("#run-check input").uncheck()


def mark(page: Page, status: str = "run-status") -> None:
    """A run may be over before anybody has seen it running: what counts is that another line stands there then."""
    page.evaluate("id => document.querySelectorAll(`#${id} *`).forEach(part => part.dataset.before = '')", status)


def run(page: Page, button: str = "#run-both", status: str = "run-status") -> str:
    """Click, wait for the end, and give the status line."""
    begin(page, button, status)
    return end_of_run(page, status)


def begin(page: Page, button: str = "#run-both", status: str = "run-status") -> None:
    """Click, and wait until the run says that it has begun."""
    mark(page, status)
    page.click(button)
    begun = page.locator(f"#{status} .run-status:not([data-before])")
    try:
        # Not `expect`: where there is nothing yet, Playwright describes the whole page at every look.
        begun.wait_for(timeout=15_000)
    except TimeoutError:
        # A button that is drawn anew at that moment, with another estimate on it, loses the click.
        if page.locator(button).is_enabled():
            page.click(button)
        begun.wait_for()


def end_of_run(page: Page, status: str = "run-status") -> str:
    states = ", ".join(f"#{status} .{state}:not([data-before])" for state in ENDED)
    page.wait_for_selector(states, timeout=300_000)
    return page.inner_text(f"#{status}")


def download(page: Page, pane: str, to: Path) -> Path:
    page.hover(f"#{pane}")
    with page.expect_download() as caught:
        page.locator(f"#{pane}").get_by_role("link").or_(page.locator(f"#{pane} [aria-label=Download]")).first.click()
    path = to / f"{pane}-{caught.value.suggested_filename}"
    caught.value.save_as(path)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)
