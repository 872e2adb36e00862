"""The page in German: no text of it is left in English, before a run, after one, and with several pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect

from impress_ui.settings import SECTIONS
from impress_ui.settings.sweep import swept_names
from impress_ui.ui.components import CHOICE_NAMES
from tests.browser.hands import enter, make_quick, run, upload
from tests.browser.several_pictures import several_are_dropped_protected_and_purified_and_a_bad_one_is_named

NAMED = set(CHOICE_NAMES) - set(swept_names())
# Lists of which every choice has a name: that each name is German, tests/unit/test_languages.py sees to.
TOLD = {
    f"{section}-{name}"
    for section, model in SECTIONS.items()
    for name in model.model_fields
    if {*(get_args(model.model_fields[name].annotation) or ("",)), *model.describe(name)["choices"]} <= NAMED
} - {"purify-recipe"}
ROOMS = ("story", "stress", "explore", "style", "generate", "history", "about")


def untold(page: Page) -> list[str]:
    """Texts that were looked up in the table and not found."""
    page.wait_for_timeout(300)
    return sorted(page.evaluate("[...window.impressUntold]"))


@pytest.mark.parametrize("opened", ["?__lang=de"], indirect=True)
def test_every_text_of_every_room_is_german(opened: Page, photo: Path, tmp_path: Path) -> None:
    expect(opened.locator("#run-purify")).to_have_text("Bereinigen")
    assert opened.locator("html").get_attribute("lang") == "de"
    for room in ROOMS:
        enter(opened, room)
        folds = opened.locator("button.label-wrap:visible:not(.open)")
        while folds.count():
            folds.first.click()
        for box in opened.locator("input[role=listbox]:visible").all():
            if box.evaluate("box => box.closest('.block').id") in TOLD:
                continue
            box.click()
            expect(opened.get_by_role("option").first).to_be_visible()
            opened.keyboard.press("Escape")
            box.blur()
    assert not untold(opened), "\n".join(untold(opened))
    enter(opened, "story")
    expect(opened.locator("#purify-recipe input")).to_have_value("fast (von uns)")
    expect(opened.locator("#right input")).to_have_value("Bereinigt")
    verdicts = opened.locator(".verdicts").inner_text()  # long sentences, of which a part may be told as a whole one
    assert "sieht geschützt aus (Rundreisefehler" in verdicts and "looks" not in verdicts and "accused" not in verdicts

    upload(opened, photo)
    make_quick(opened)
    assert re.search(r"Fertig.*geschützt in .* s; bereinigt in", run(opened), re.DOTALL)
    expect(opened.locator("#answer")).to_contain_text(re.compile("Der Schutz verschiebt|Dieser Schutz bewirkt"))
    run(opened, "#edit-run", "edit-status")
    expect(opened.locator("#edit-verdict")).to_contain_text("Der Schutz hat die Bearbeitung")
    enter(opened, "history")
    expect(opened.locator("#past-view")).to_contain_text("Lauf")
    enter(opened, "story")
    several_are_dropped_protected_and_purified_and_a_bad_one_is_named(opened, photo, tmp_path)
    assert not untold(opened), "\n".join(untold(opened))
