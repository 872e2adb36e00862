"""The Stress test and the Style section: the example and a chain, a study that is stopped and goes on, and its bars."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from impress_ui.art.artists import works
from tests.browser.hands import choose, enter, put
from tests.browser.stress_section import the_example_is_tested_and_a_chain_of_one_s_own_purifies

SLOW = 300_000


def make_quick(page: Page) -> None:
    """A study of seconds, whose works are purified by the chain that stands there."""
    enter(page, "style")
    page.locator("#style-protection").get_by_label("As set in Settings").check()
    put(page, "protect-steps", 2)
    put(page, "run-size", 64)
    enter(page, "generate")
    put(page, "generate-sampling_steps", 2)
    enter(page, "style")
    page.get_by_role("button", name="More about the fine-tuning").click()
    for knob, value in (("works", 4), ("imitations", 2), ("batch", 1), ("steps", 400)):
        put(page, f"mimic-{knob}", value)


def begin(page: Page) -> None:
    page.click("#style-run")
    page.wait_for_selector("#style-status .run-status.running")


def ended(page: Page) -> str:
    page.wait_for_selector(
        "#style-status .run-status.done, #style-status .run-status.stopped, #style-status .run-status.failed",
        timeout=SLOW,
    )
    return page.locator("#style-status").inner_text()


def test_the_example_is_tested_then_a_stopped_study_goes_on_and_another_reaches_the_bars(
    opened: Page, photo: Path, tmp_path: Path
) -> None:
    the_example_is_tested_and_a_chain_of_one_s_own_purifies(opened, photo, tmp_path)
    files = []
    for number, work in enumerate(works("Quartz", "train", side=96, count=4)):
        files.append(tmp_path / f"{number}.png")
        work.image.save(files[-1])
    make_quick(opened)
    opened.locator("#style-own button").first.click()
    given = opened.locator("#style-files")
    given.locator("input[type=file]").set_input_files(files[:3])
    expect(given.locator("tr.file")).to_have_count(3)
    opened.click("#style-run")
    assert "There are 3 pictures; a style needs at least 4" in ended(opened)
    given.get_by_label("Clear").click()
    given.locator("input[type=file]").set_input_files(files)
    expect(given.locator("tr.file")).to_have_count(4)
    begin(opened)
    status = opened.locator("#style-status")
    expect(status).to_contain_text(re.compile(r"step ([2-9]|\d\d+) of 400"), timeout=SLOW)
    opened.click("#style-stop")
    assert "the partial result is kept" in ended(opened)
    expect(opened.locator("#style-run")).to_have_text("Go on")
    # The files are the works of the study.
    for name in ("clean", "protected"):
        expect(opened.locator(f"#style-set-{name} .thumbnail-item")).to_have_count(4)
    begin(opened)
    # The works are not protected again.
    expect(status).to_contain_text(re.compile("Fine-tuning on clean works"), timeout=SLOW)
    step = int(re.search(r"step (\d+) of 400", status.inner_text()).group(1))
    assert step > 1
    opened.click("#style-stop")
    ended(opened)

    given.get_by_label("Clear").click()
    choose(opened, "style-artist", "Birch")
    put(opened, "mimic-steps", 2)
    begin(opened)
    assert "finished after" in ended(opened)
    for name in ("clean", "protected", "purified"):
        expect(opened.locator(f"#style-set-{name} .thumbnail-item")).to_have_count(4)
        expect(opened.locator(f"#style-imitations-{name} .thumbnail-item")).to_have_count(2)
        expect(opened.locator(f"#style-losses .own-scale .line-{name}")).to_have_count(1)
    expect(opened.locator("#style-bars .bar")).to_have_count(3)
    expect(opened.locator("#style-verdict")).to_contain_text(
        re.compile(r"for Birch, learnt from the clean works: \d of 2")
    )
    expect(opened.locator("#style-zip")).to_contain_text(".zip")
    expect(opened.locator("#style-run")).to_have_text("Run the study")
