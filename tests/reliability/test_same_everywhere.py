"""The same picture, settings and seed give the same bytes: again, and by page, API and command line alike."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from PIL import Image
from pydantic import ValidationError

from impress_ui.jobs import workflow
from impress_ui.methods.optimise import run_to_end
from impress_ui.paths import ROOT
from impress_ui.pictures.images import open_picture, to_images
from impress_ui.settings import JobSettings, sentence_of
from impress_ui.ui.layout import build_page
from impress_ui.ui.page import Page
from impress_ui.ui.record import Record
from impress_ui.ui.rooms.edit.run import EditRun
from impress_ui.ui.rooms.story.run import PageRun

SAVED = ROOT / "tests/data/settings-1.json"
SETTINGS: dict[str, Any] = {
    "run": {"seed": 7, "check": False},
    "protect": {"steps": 3, "step_size": 8},
    "purify": {"steps": 3},
    "edit": {"prompt": "an oil painting of a mountain", "sampling_steps": 4, "strength": 0.5},
}


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def by_core(photo: Path) -> list[np.ndarray]:
    torch.set_num_threads(1)
    job, picture = JobSettings.model_validate(SETTINGS), open_picture(photo).image
    protected = to_images(run_to_end(workflow.protect_picture(picture, job)).result)[0]
    purified = to_images(run_to_end(workflow.purify_picture(protected, job)).result)[0]
    *_, last = workflow.edit_pictures([picture, protected, purified], job)
    return [np.asarray(image) for image in (protected, purified, *last.results)]


def by_api(photo: Path, app_url: str, folder: Path) -> list[np.ndarray]:
    client = Client(app_url, verbose=False, download_files=folder)
    protected, _ = client.predict(handle_file(photo), SETTINGS, api_name="/protect")
    purified, _ = client.predict(handle_file(protected), SETTINGS, api_name="/purify")
    files = [handle_file(path) for path in (photo, protected, purified)]
    edits, _ = client.predict(files[0], SETTINGS, files[1], files[2], api_name="/edit")
    return [pixels(path) for path in (protected, purified, *edits)]


def by_command(photo: Path, folder: Path) -> list[np.ndarray]:
    (folder / "settings.json").write_text(json.dumps(SETTINGS))
    protected, purified, edits = folder / "protected.png", folder / "purified.png", folder / "edits"

    def run(*arguments: object) -> None:
        command = [
            sys.executable,
            "-m",
            "impress_ui",
            *map(str, arguments),
            "--settings",
            str(folder / "settings.json"),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run("protect", photo, "-o", protected)
    run("purify", protected, "-o", purified)
    run("edit", photo, protected, purified, "-o", edits)
    found = [next(edits.glob(f"{path.stem}*.png")) for path in (photo, protected, purified)]
    return [pixels(path) for path in (protected, purified, *found)]


def by_page(photo: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    torch.set_num_threads(1)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder / "cache"))
    with gr.Blocks():
        page: Page = build_page()
    values = {widget: widget.value for widget in page.knobs.values()}
    for section, given in SETTINGS.items():
        values |= {page.knobs[section, name]: value for name, value in given.items()}
    values |= {page.upload: str(photo), page.mask: None, page.new_seed: False, page.target: None, page.edit_mask: None}
    values |= {page.record: Record(), page.reconstruction_of: "protected"}
    for update in PageRun(page, values, "visitor", "both").updates():
        values[page.record] = update.get(page.record, values[page.record])
    for update in EditRun(page, values, "visitor", page.edit_status).updates():
        values[page.record] = update.get(page.record, values[page.record])
    record: Record = values[page.record]
    edits = [record.edits[name].file for name in ("original", "protected", "purified")]
    return [pixels(path) for path in (record.files["protected"], record.files["purified"], *edits)]


def test_page_api_and_core_agree_to_the_last_bit_and_again(
    app_url: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = by_core(photo)
    assert not np.array_equal(wanted[0], pixels(photo)) and not np.array_equal(wanted[1], wanted[0])
    # The page runs in this process, as the core did before: so it is made again here, and elsewhere by the API.
    for made in (by_api(photo, app_url, tmp_path), by_page(photo, tmp_path, monkeypatch)):
        assert [np.array_equal(a, b) for a, b in zip(made, wanted, strict=True)] == [True] * 5


@pytest.mark.slow
def test_the_command_line_agrees_too(photo: Path, tmp_path: Path) -> None:
    wanted, made = by_core(photo), by_command(photo, tmp_path)
    assert [np.array_equal(a, b) for a, b in zip(made, wanted, strict=True)] == [True] * 5


def test_settings_that_this_version_s_first_files_hold_still_load() -> None:
    saved = json.loads(SAVED.read_text())
    job = JobSettings.model_validate(saved)
    for section, values in saved.items():
        if isinstance(values, dict):
            for name, value in values.items():
                kept = getattr(getattr(job, section), name)
                assert (list(kept) if isinstance(kept, tuple) else kept) == value, f"{section}.{name}"


def test_settings_of_another_version_are_refused_by_name() -> None:
    with pytest.raises(ValidationError) as caught:
        JobSettings.model_validate({"version": 2})
    assert "setting version" in sentence_of(caught.value)
    with pytest.raises(ValidationError) as caught:
        JobSettings.model_validate({"protect": {"strength_of_later": 1}})
    assert sentence_of(caught.value) == "There is no setting named protect.strength_of_later."
