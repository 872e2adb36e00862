"""The whole story on one page, then what it must be for everybody: one zoom, readable, reachable by keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from impress_ui.pictures.images import read_metadata
from tests.browser.hands import choose, clear, download, enter, make_quick, pixels, put, run, upload

SERIOUS = ("serious", "critical")
OF_COLOURS = ("color-contrast", "link-in-text-block")  # what another theme can break, and another width cannot
EDITS = ("original", "protected", "purified")


def test_from_upload_to_edits_for_everybody(opened: Page, photo: Path, tmp_path: Path) -> None:
    upload(opened, photo)
    make_quick(opened)
    run(opened)
    all_three_are_edited(opened, tmp_path)
    the_edits_can_be_laid_under_the_slider(opened)
    expect(opened.locator("#run-zip")).to_be_enabled()
    expect(opened.locator("#masthead")).to_contain_text("Removing a protection is dual use")
    the_edits_stand_in_the_order_of_the_pictures(opened)
    every_picture_shows_the_same_place(opened)
    axe_finds_nothing_serious(opened)
    mistakes_keep_what_is_there(opened, tmp_path)
    upload(opened, photo)
    expect(opened.locator("#edit-of-original img")).to_have_count(0)
    expect(opened.locator("#edit-verdict")).to_contain_text("whether the protection holds")


def all_three_are_edited(page: Page, folder: Path) -> None:
    page.locator("#edit-prompt").locator("textarea, input").fill("a mosaic of the sea")
    put(page, "edit-sampling_steps", 4)
    status = run(page, "#edit-run", "edit-status")
    assert "3 pictures edited in" in status and "embedded on" in status and "peak memory" in status
    files = [download(page, f"edit-of-{name}", folder) for name in EDITS]
    original, protected, purified = (pixels(path) for path in files)
    assert not np.array_equal(original, protected) and not np.array_equal(protected, purified)
    metadata = read_metadata(files[2])
    assert metadata["picture"] == "purified" and metadata["settings"]["edit"]["prompt"] == "a mosaic of the sea"
    for name in EDITS[1:]:
        figures = page.locator(f"#edits .pane-{name} dd").all_text_contents()
        score, _, clean = figures.pop().partition(" clean: ")
        assert len(figures) == 5 and all(float(figure) >= 0 for figure in (*figures, score, clean))
    ssim = float(page.locator("#edits .pane-purified dd").first.text_content())
    assert metadata["against_clean_edit"]["ssim"] == pytest.approx(ssim, abs=6e-4)
    expect(page.locator("#edit-verdict")).to_contain_text(re.compile(r"The protection .*SSIM \d\.\d\d to the clean"))


def the_edits_can_be_laid_under_the_slider(page: Page) -> None:
    choose(page, "left", "Edit of the original")
    choose(page, "right", "Edit of the protected")
    expect(page.locator("#figures")).to_contain_text("Edit of the protected against Edit of the original")
    expect(page.locator("#before-after img")).to_have_count(2)


def mistakes_keep_what_is_there(page: Page, folder: Path) -> None:
    """No picture, then a file that is none: each gets a sentence, and what was made is there to go on with."""
    clear(page)
    page.click("#run-both")
    expect(page.locator(".toast-body")).to_contain_text("There is no picture yet")
    expect(page.locator("#run-both")).to_be_enabled()
    bad = folder / "text.png"
    bad.write_text("I am no picture.")
    page.set_input_files("#upload input[type=file]", bad)
    expect(page.locator(".toast-body").last).to_contain_text("text.png is not a picture that can be read")
    expect(page.locator("#notes")).to_contain_text("text.png is not a picture")
    expect(page.locator("#notes")).to_contain_text("still of the picture before")
    expect(page.locator("#pane-protected img")).to_be_visible()
    assert page.locator("#protect-steps input[type=number]").input_value() == "6"
    # Purifying again spares the other edits, and says that one of them is of an older picture.
    assert "purified in" in run(page, "#run-purify")
    expect(page.locator("#edits .pane-purified")).to_contain_text("Made before the last run")
    expect(page.locator("#edits .pane-protected")).to_contain_text("SSIM")
    expect(page.locator("#edit-of-original img")).to_be_visible()


def axe_finds_nothing_serious(page: Page) -> None:
    """In every room, which lie below each other for it; in the dark the colours alone are others."""
    page.evaluate(Axe().axe_script)
    tabs = page.locator("#rooms [role=tab][id^=room-]").evaluate_all("all => all.map(tab => tab.id)")
    rooms = [tab.removeprefix("room-").removesuffix("-button") for tab in tabs]
    assert {"story", "stress", "style", "generate", "about"} <= set(rooms)
    for room in rooms:
        enter(page, room)
    enter(page, rooms[0])
    shown = f":is({', '.join(f'#room-{room}' for room in rooms)}) {{ display: block !important }}"
    for theme, width in (("light", 1440), ("dark", 1440), ("light", 390)):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)  # colours go over into each other
        rules = {"runOnly": list(OF_COLOURS)} if theme == "dark" else {}
        if width < 1000:
            rules = {"rules": {name: {"enabled": False} for name in OF_COLOURS}}
        if width > 1000:
            page.add_style_tag(content=shown).evaluate("style => { style.id = 'together' }")
            for room in rooms:
                expect(page.locator(f"#room-{room}")).to_be_visible()
        assert serious_findings(page, "html", rules) == [], f"{theme}, {width} pixels wide"
        page.evaluate("document.getElementById('together')?.remove()")
        page.evaluate("document.getElementById('closer').click()")
        expect(page.locator("#viewer output")).not_to_be_empty()
        assert serious_findings(page, "#viewer", rules) == [], f"the large view, {theme}, {width} pixels wide"
        page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1440, "height": 900})
    enter(page, "story")


def the_edits_stand_in_the_order_of_the_pictures(page: Page) -> None:
    def order(row: str) -> list[str]:
        boxes = {name: page.locator(f"#{row}-{name} img").bounding_box() for name in EDITS}
        return sorted(EDITS, key=lambda name: (boxes[name]["y"] // 40, boxes[name]["x"]))

    assert order("pane") == order("edit-of") == list(EDITS)
    for name in EDITS:
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


def serious_findings(page: Page, part: str, rules: dict[str, Any]) -> list[str]:
    """What axe-core holds against a part of the page, by those of its rules that the options choose."""
    options = {"resultTypes": ["violations"], **rules}
    found = page.evaluate("([part, options]) => axe.run(part, options)", [part, options])["violations"]
    return [
        f"{finding['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:200]})"
        for finding in found
        if finding["impact"] in SERIOUS
        for node in finding["nodes"]
    ]
