"""The whole story on one page, then what it must be for everybody: one zoom, readable, reachable by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.hands import enter, make_quick, put, run, upload

SERIOUS = ("serious", "critical")


@pytest.fixture
def told(opened: Page, photo: Path) -> Iterator[Page]:
    """From the upload to the edits, as the story goes."""
    upload(opened, photo)
    expect(opened.locator("#pane-purified img")).to_have_count(0)
    make_quick(opened)
    run(opened)
    put(opened, "edit-sampling_steps", 3)
    run(opened, "#edit-run", "edit-status")
    yield opened


def test_from_upload_to_edits_for_everybody(told: Page) -> None:
    expect(told.locator("#run-zip")).to_be_enabled()
    expect(told.locator("#masthead")).to_contain_text("Removing a protection is dual use")
    the_edits_stand_in_the_order_of_the_pictures(told)
    every_picture_shows_the_same_place(told)
    tabs = told.locator("#rooms [role=tab][id^=room-]").evaluate_all("all => all.map(tab => tab.id)")
    rooms = [tab.removeprefix("room-").removesuffix("-button") for tab in tabs]
    assert {"story", "stress", "style", "generate", "about"} <= set(rooms)
    for theme, width in (("light", 1440), ("dark", 1440), ("light", 390)):
        told.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        told.set_viewport_size({"width": width, "height": 900})
        for room in rooms if width > 1000 else rooms[:1]:
            enter(told, room)
            assert serious_findings(told) == [], f"{room}, {theme}, {width} pixels wide"
        told.evaluate("document.getElementById('closer').click()")
        expect(told.locator("#viewer output")).not_to_be_empty()
        assert serious_findings(told) == [], f"the large view, {theme}, {width} pixels wide"
        told.keyboard.press("Escape")


def the_edits_stand_in_the_order_of_the_pictures(page: Page) -> None:
    def order(row: str) -> list[str]:
        boxes = {name: page.locator(f"#{row}-{name} img").bounding_box() for name in names}
        return sorted(names, key=lambda name: (boxes[name]["y"] // 40, boxes[name]["x"]))

    names = ("original", "protected", "purified")
    assert order("pane") == order("edit-of") == list(names)
    for name in names:
        assert page.locator(f"#edit-of-{name} img").get_attribute("alt") == f"Edit of the {name}"


def every_picture_shows_the_same_place(page: Page) -> None:
    pictures = page.locator("#panes img, #edits img, #difference img")
    assert pictures.count() == 8
    zoom = page.get_by_role("group", name="Zoom of all pictures")
    zoom.get_by_role("button", name="4×").click()
    page.locator("#pane-original").hover()  # at its middle
    assert set(pictures.evaluate_all("all => all.map(image => image.style.transform)")) == {"scale(4)"}
    assert max(off_centre(page)) < 2.5  # half a pixel of the pointer is two of a picture at 4×
    # The arrow keys go on from there, without a pointer.
    zoom.get_by_role("button", name="4×").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(zoom.locator("output")).to_have_text("around 55 % from the left, 45 % from the top")
    # A picture that replaces another is magnified like it.
    page.locator("#reconstruction-of").get_by_label("Original").check(force=True)
    page.wait_for_function("document.querySelector('#pane-reconstructed img')?.style.transform === 'scale(4)'")
    zoom.get_by_role("button", name="1×").click()
    assert set(pictures.evaluate_all("all => all.map(image => image.style.transform)")) == {""}


def off_centre(page: Page) -> list[float]:
    """How far, in pixels, each magnified picture's middle is from its frame's."""
    return page.locator("#panes img, #edits img, #difference img").evaluate_all(
        """all => all.flatMap(image => {
          const [a, b] = [image.getBoundingClientRect(), image.parentElement.getBoundingClientRect()];
          return [a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2].map(Math.abs);
        })"""
    )


def serious_findings(page: Page) -> list[str]:
    """What axe-core holds against the page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{finding['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:200]})"
        for finding in found
        if finding["impact"] in SERIOUS
        for node in finding["nodes"]
    ]


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(opened: Page) -> None:
    """Upload, examples, the run, its settings, then the rooms; and the arrow keys move along the rooms."""
    areas = ("upload", "examples", "run-both", "run-row", "live", "main-knobs", "rooms")
    seen: list[str] = []
    for _ in range(160):
        opened.keyboard.press("Tab")
        at = opened.evaluate("ids => ids.find(id => document.activeElement.closest('#' + id)) ?? ''", list(areas))
        if at and at not in seen:
            seen.append(at)
        if at == "rooms":
            break
    assert seen == list(areas)
    tab = opened.locator("#room-story-button")
    tab.focus()
    opened.keyboard.press("ArrowRight")
    assert opened.evaluate("document.activeElement.id") == "room-stress-button"
    opened.keyboard.press("Enter")
    expect(opened.locator("#room-stress-button")).to_have_attribute("aria-selected", "true")
