"""The picker of purifiers and the Stress test section."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.hands import choose, download, end_of_run, enter, put, run, upload


def only(page: Page, *kept: str) -> None:
    """Take every purifier out of the test but those."""
    for chip in page.locator("#stress-purifiers .token").all_inner_texts():
        if chip.strip() not in kept:
            page.locator("#stress-purifiers .token", has_text=chip.strip()).locator(".token-remove").first.click()
    expect(page.locator("#stress-purifiers .token")).to_have_count(len(kept))


def test_only_the_chosen_purifier_s_knobs_are_shown(opened: Page, photo: Path, tmp_path: Path) -> None:
    expect(opened.locator("#purify-alpha")).to_be_visible()
    expect(opened.locator("#purify-blur_sigma")).to_have_count(0)
    choose(opened, "purify-method", "Gaussian blur")
    expect(opened.locator("#purify-blur_sigma")).to_be_visible()
    expect(opened.locator("#purify-alpha")).not_to_be_visible()
    put(opened, "purify-blur_sigma", 3)
    choose(opened, "purify-method", "Chain of purifiers")
    expect(opened.locator("#purify-blur_sigma")).to_have_count(0)
    opened.locator("#purify-chain textarea, #purify-chain input").fill("jpeg 30, zap")
    upload(opened, photo)
    assert "no purifier zap" in run_refused(opened)
    opened.locator("#purify-chain textarea, #purify-chain input").fill("jpeg 30, then blur 2")
    assert "purified in" in run(opened, "#run-purify")
    expect(opened.locator("#measures .row-purified")).to_contain_text("jpeg 30, then blur 2")
    assert download(opened, "pane-purified", tmp_path).is_file()


def run_refused(page: Page) -> str:
    page.click("#run-purify")
    page.wait_for_selector("#run-status .failed", timeout=180_000)
    return page.inner_text("#run-status")


def test_from_a_protected_picture_to_the_verdict(opened: Page, photo: Path) -> None:
    upload(opened, photo)
    put(opened, "protect-steps", 8)
    run(opened, "#run-protect")
    enter(opened, "stress")
    only(opened, "jpeg 40", "blur 1")
    expect(opened.locator("#stress-hint")).to_contain_text("protected picture of this page and its original")
    opened.click("#stress-run")
    assert "2 of 2 purifiers" in end_of_run(opened, "stress-status")
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
