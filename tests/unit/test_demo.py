"""The example that the page opens on: whole, small, of this checkpoint and these settings, and made again."""

from __future__ import annotations

import json
import tempfile
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from impress_ui.jobs.compare import compare
from impress_ui.jobs.workflow import protect_picture, purify_picture
from impress_ui.methods.optimise import run_to_end
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.fingerprint import fingerprint
from impress_ui.paths import DEMO
from impress_ui.pictures.images import open_picture, read_metadata, to_images
from impress_ui.settings import JobSettings
from impress_ui.ui import demo
from impress_ui.ui.layout import build_page

KEPT = json.loads((DEMO / "demo.json").read_text(encoding="utf-8"))
JOB = JobSettings().updated(run={"device": "cpu"})


def picture(name: str) -> Image.Image:
    return open_picture(DEMO / KEPT["record"]["files"][name]).image


def row_of(name: str) -> dict[str, Any]:
    return next(row for row in KEPT["record"]["rows"] if row["name"] == name)


def measured(name: str, image: Image.Image) -> dict[str, Any]:
    (row,) = compare({name: image}, JOB, original=picture("original"))
    return row.as_dict()


def test_it_is_whole_and_at_most_a_megabyte() -> None:
    galleries = [file for value in KEPT["shown"].values() if isinstance(value, list) for file, _ in value]
    edits = [edit["file"] for edit in KEPT["record"]["edits"].values()]
    named = {"demo.json", *KEPT["record"]["files"].values(), *edits, *galleries}
    assert named == {file.name for file in DEMO.iterdir()}
    assert tempfile.gettempdir() not in json.dumps(KEPT)  # no place of the machine that made it
    assert sum(file.stat().st_size for file in DEMO.iterdir()) <= 1_000_000


def test_it_was_made_by_this_checkpoint_and_these_settings(embedded: Autoencoder) -> None:
    """After a change of either: ``python -m impress_ui demo``."""
    for name in ("protected", "purified"):
        told = read_metadata(DEMO / KEPT["record"]["files"][name])
        assert told["checkpoint"]["sha256"]["vae"] == fingerprint(JOB.run.checkpoint)["vae"], name
        assert JobSettings.model_validate(told["settings"]) == JobSettings(), name


@pytest.mark.parametrize("name", ["original", "protected", "purified"])
def test_its_figures_are_those_of_its_pictures(name: str) -> None:
    now, kept = measured(name, picture(name)), row_of(name)
    for measure in ("latent_distance", "round_trip_error"):
        assert now[measure] == pytest.approx(kept[measure], abs=2e-4), measure
    assert now["against_original"]["ssim"] == pytest.approx(kept["against_original"]["ssim"], abs=1e-3)


@pytest.mark.slow
def test_the_run_can_be_made_again() -> None:
    """Machines add in other orders, and signs of gradients tip: the figures are the same, not every pixel."""
    protected = to_images(run_to_end(protect_picture(picture("original"), JOB)).result)[0]
    purified = to_images(run_to_end(purify_picture(picture("protected"), JOB)).result)[0]
    for name, image in (("protected", protected), ("purified", purified)):
        now, kept = measured(name, image), row_of(name)
        assert now["latent_distance"] == pytest.approx(kept["latent_distance"], rel=0.05), name
        assert now["against_original"]["ssim"] == pytest.approx(kept["against_original"]["ssim"], abs=0.02), name


def test_the_page_begins_with_it_and_without_its_files_with_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    with gr.Blocks():
        page, empty = build_page(), build_page()
        demo.fill(page)
        demo.fill(empty, tmp_path)
    assert demo.is_example(str(demo.EXAMPLE), page.record.value) and not demo.is_example(None, page.record.value)
    assert page.panes["purified"].value["path"] and empty.panes["purified"].value is None
    assert empty.record.value.files == {} and not demo.is_example(str(demo.EXAMPLE), empty.record.value)
