"""The Stress test section on the example that stands there, and the picker of purifiers.

The journey of tests/browser/test_style_section.py walks it first.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.hands import choose, download, enter, run, upload


def only(page: Page, *kept: str) -> None:
    """Those purifiers and no others, written into the empty list."""
    chosen = page.locator("#stress-purifiers")
    chosen.locator(".remove-all").click()
    for purifier in kept:
        chosen.locator("input").fill(purifier)
        chosen.locator("input").press("Enter")
    expect(chosen.locator(".token")).to_have_text([re.compile(rf"^\s*{purifier}\s*$") for purifier in kept])


def the_example_is_tested_and_a_chain_of_one_s_own_purifies(opened: Page, photo: Path, tmp_path: Path) -> None:
    opened.locator("#live input").uncheck()
    enter(opened, "stress")
    only(opened, "jpeg 40", "blur 1")
    expect(opened.locator("#stress-hint")).to_contain_text("protected picture of this page and its original")
    assert "2 of 2 purifiers" in run(opened, "#stress-run", "stress-status")
    expect(opened.locator("#stress-table tbody tr")).to_have_count(4)
    expect(opened.locator("#stress-scatter circle")).to_have_count(4)
    expect(opened.locator("#stress-pictures .thumbnail-item")).to_have_count(4)
    expect(opened.locator("#stress-verdict")).to_contain_text(
        re.compile(r"The protection (holds|is weakened|does not hold)")
    )
    expect(opened.locator("#stress-zip")).to_contain_text(".zip")
    for width in (1024, 390):
        opened.set_viewport_size({"width": width, "height": 844})
        expect(opened.locator("#stress-scatter svg.scatter")).to_be_visible()
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.set_viewport_size({"width": 1280, "height": 720})

    enter(opened, "story")
    expect(opened.locator("#purify-alpha")).to_be_visible()
    expect(opened.locator("#purify-blur_sigma")).to_have_count(0)
    choose(opened, "purify-method", "Gaussian blur")
    expect(opened.locator("#purify-blur_sigma")).to_be_visible()
    expect(opened.locator("#purify-alpha")).not_to_be_visible()
    choose(opened, "purify-method", "Chain of purifiers")
    expect(opened.locator("#purify-blur_sigma")).to_have_count(0)
    chain = opened.locator("#purify-chain textarea, #purify-chain input")
    chain.fill("jpeg 30, zap")
    upload(opened, photo)
    opened.click("#run-purify")
    expect(opened.locator("#run-status .failed")).to_contain_text("no purifier zap")
    chain.fill("jpeg 30, then blur 2")
    assert "purified in" in run(opened, "#run-purify")
    expect(opened.locator("#measures .row-purified")).to_contain_text("jpeg 30, then blur 2")
    assert download(opened, "pane-purified", tmp_path).is_file()
