"""A picture larger than the working size, done at its own."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright")

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.hands import choose, download, end_of_run, pixels, put, run, upload


def test_tiles_are_stopped_go_on_and_come_back_whole(opened: Page, photo: Path, tmp_path: Path) -> None:
    with Image.open(photo) as image:
        image.resize((120, 90), Image.Resampling.LANCZOS).save(tmp_path / "large.png")
    upload(opened, tmp_path / "large.png")
    put(opened, "run-size", 64)
    choose(opened, "run-whole", re.compile("tiles"))
    put(opened, "protect-steps", 12)
    opened.click("#run-protect")
    opened.wait_for_selector("#run-status .running:has-text('of 72')")  # 3 by 2 tiles of 12 steps
    expect(opened.locator(".own-scale .line-latent-distance")).not_to_have_count(0, timeout=60_000)  # one is done
    opened.click("#stop")
    assert re.search(r"protected at step \d+ of 72; the partial result is kept", end_of_run(opened))
    expect(opened.locator("#notes")).to_contain_text("Results have 120x90 pixels")

    assert "protected in" in run(opened, "#run-protect")
    # Made for the tiles of the large picture, it does little to the model that sees all of it at half.
    expect(opened.locator("#answer")).to_contain_text(re.compile(r"Not sufficiently protected: .* by \d+\.\d%"))
    expect(opened.locator("#curves")).to_contain_text("6 tiles")
    large = download(opened, "whole", tmp_path)
    change = np.abs(pixels(large) - pixels(tmp_path / "large.png"))
    assert change.shape[:2] == (90, 120) and change.max() == 16 and (change.max(axis=2) > 0).mean() > 0.9
    assert pixels(download(opened, "pane-protected", tmp_path)).shape[:2] == (48, 64)
    with opened.expect_download() as packed:
        opened.click("#run-zip")
    with zipfile.ZipFile(packed.value.path()) as archive, archive.open("protected-whole.png") as file:
        assert np.array_equal(np.asarray(Image.open(file).convert("RGB")).astype(int), pixels(large))

    choose(opened, "part", "1:1, bottom right")
    expect(opened.locator("#figures")).to_contain_text("Protected against Original")
    expect(opened.locator("#figures")).to_contain_text(re.compile(r"L∞\s*16"))
    detail = opened.locator("#before-after img").first
    expect(detail).to_be_visible()
    assert detail.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [120, 90]
