"""Several files at once, in German: a strip, a run over all, one zip, and one bad file that stops nothing.

The journey of tests/browser/test_in_german.py walks it.
"""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.hands import end_of_run, run

DROP = """(files) => {
  const several = new DataTransfer();
  files.forEach(([name, text]) => {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    several.items.add(new File([bytes], name, { type: "image/png" }));
  });
  document.querySelector("#upload").dispatchEvent(new DragEvent("drop", { dataTransfer: several, bubbles: true }));
}"""


def several_are_dropped_protected_and_purified_and_a_bad_one_is_named(
    opened: Page, photo: Path, tmp_path: Path
) -> None:
    """After a quick run of one."""
    with Image.open(photo) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "other.png")
    given = {"a.png": photo.read_bytes(), "bad.png": b"no picture", "b.png": (tmp_path / "other.png").read_bytes()}
    expect(opened.locator("#many-area")).to_be_hidden()
    opened.evaluate(DROP, [[name, base64.b64encode(data).decode()] for name, data in given.items()])
    expect(opened.locator("#many-told")).to_contain_text("3 Bilder")
    expect(opened.locator("#many-told li")).to_contain_text("bad.png ist kein lesbares Bild")
    expect(opened.locator("#many-pictures .thumbnail-item")).to_have_count(2)
    expect(opened.locator("#pane-purified img")).to_be_visible()  # the bench stays as it was

    assert "2 von 3 Bildern geschützt" in run(opened, "#many-protect")
    captions = opened.locator("#many-pictures .caption-label")
    expect(captions.first).to_contain_text("a: geschützt; SSIM")
    assert "2 von 3 Bildern bereinigt" in run(opened, "#many-purify")
    expect(captions.first).to_contain_text("zum Original")  # what was protected here has its original
    with opened.expect_download() as caught:
        opened.click("#run-zip")
    caught.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {"a-purified.png", "b-purified.png", "measures.json", "settings.json"} <= set(archive.namelist())
        told = json.loads(archive.read("measures.json"))
    assert [row["name"] for row in told["pictures"]] == ["a", "b"] and list(told["failed"]) == ["bad.png"]

    opened.locator("#protect-steps input").first.fill("400")  # long enough to be caught at it
    opened.click("#many-protect")
    opened.wait_for_selector("#run-status .running")
    expect(opened.locator("#many-away")).to_be_disabled()
    opened.locator("#upload input[type=file]").set_input_files(photo)
    expect(opened.locator("#notes")).to_contain_text("es läuft etwas")
    opened.click("#stop")
    assert "Angehalten" in end_of_run(opened)
    expect(captions.last).to_contain_text("b: nicht begonnen")
    opened.click("#many-away")
    expect(opened.locator("#many-area")).to_be_hidden()
