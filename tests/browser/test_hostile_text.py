"""Markup in everything that a visitor can write or name: it is shown as text, or not at all, and never runs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from tests.browser.hands import enter, run, unfold, upload

MARKUP = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"
PROMPT = "<img src=x onerror=window.hit=1>"  # no longer than a prompt may be
# What a file system lets a name be.
NAME = "..%2f<img src=x onerror=window.hit=1>&\"'.png"


def import_file(page: Page, file: Path) -> None:
    unfold(page, "import")
    with page.expect_file_chooser() as chosen:
        page.click("#import")
    chosen.value.set_files(file)


def nothing_ran(page: Page) -> None:
    assert page.evaluate("window.hit") is None
    assert page.locator("img[src='x']").count() == 0


def test_markup_in_file_names_settings_and_prompts(opened: Page, photo: Path, tmp_path: Path) -> None:
    hostile = tmp_path / NAME
    hostile.write_bytes(photo.read_bytes())
    upload(opened, hostile)
    nothing_ran(opened)
    # A toast that repeats what was given.
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"protect": {MARKUP: 1}}))
    import_file(opened, settings)
    expect(opened.locator(".toast-body").last).to_contain_text("<img src=x onerror=")
    nothing_ran(opened)
    opened.locator(".toast-close").last.click()  # or it lies over the rooms' tabs
    # What is kept of a run: its report, its zip and the history.
    quick = {"protect": {"steps": 3}, "purify": {"steps": 2}, "run": {"check": False}}
    settings.write_text(json.dumps({**quick, "edit": {"prompt": PROMPT, "sampling_steps": 4}}))
    import_file(opened, settings)
    expect(opened.locator("#edit-prompt textarea, #edit-prompt input").first).to_have_value(PROMPT)
    run(opened)
    assert "pictures edited" in run(opened, "#edit-run", "edit-status")
    nothing_ran(opened)
    enter(opened, "history")
    with opened.expect_download() as caught:
        opened.click("#past-zip")
    archive = tmp_path / "run.zip"
    caught.value.save_as(archive)
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
    assert all(len(PurePosixPath(name).parts) == 1 and not {"<", "%", "&", "\\"} & set(name) for name in names)
    with opened.expect_download() as caught:
        opened.click("#past-report")
    report = tmp_path / "report.html"
    caught.value.save_as(report)
    assert "&lt;img src=x" in report.read_text(encoding="utf-8")
    shown = opened.context.new_page()
    shown.goto(report.as_uri())
    expect(shown.locator("body")).to_contain_text("<img src=x onerror=")
    nothing_ran(shown)
    shown.close()
    # The sentence of a run that cannot be.
    enter(opened, "story")
    settings.write_text(json.dumps({"run": {"checkpoint": MARKUP}, "protect": {"budget": 9}}))
    import_file(opened, settings)
    expect(opened.locator("#protect-budget input[type=number]")).to_have_value("9")
    opened.click("#run-both")
    expect(opened.locator("#run-status .failed")).to_contain_text("<img src=x onerror=")
    nothing_ran(opened)
