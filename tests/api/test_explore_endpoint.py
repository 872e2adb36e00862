"""An exploration as a program calls it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError


def test_two_settings_are_varied(client: Client, photo: Path) -> None:
    axes = {"x": "protect.budget", "x_from": 4, "x_to": 16, "x_count": 2}
    second = {"y": "purify.jpeg_quality", "y_from": 20, "y_to": 80, "y_count": 2, "measure": "lpips"}
    settings = {"protect": {"steps": 6}, "purify": {"method": "jpeg"}, "explore": {**axes, **second}}
    job = client.submit(handle_file(photo), settings, None, None, api_name="/explore")
    files, report = job.result(timeout=240)
    told = [said for _, said in job.outputs() if "seconds_left" in said]
    assert told and told[-1]["cells"] == 4
    names = {Path(file).name for file in files}
    assert {"explore.json", "explore.csv", "chart.svg", "sheet.png", "budget-16-jpeg_quality-80.png"} <= names
    cells = {(cell["protect.budget"], cell["purify.jpeg_quality"]): cell for cell in report["cells"]}
    assert set(cells) == {(4, 20), (4, 80), (16, 20), (16, 80)} and report["planned"] == 4
    assert cells[4, 80]["lpips"] < cells[16, 80]["lpips"] and cells[4, 20]["strength"] < cells[16, 20]["strength"]
    assert report["verdict"].startswith("Purified to original, LPIPS: best") and report["stopped"] is False
    (table,) = (file for file in files if Path(file).name == "explore.csv")
    with Path(table).open() as stream:
        assert len(list(csv.DictReader(stream))) == 4


@pytest.mark.parametrize(
    ("explore", "sentence"),
    [
        ({"x": "purify.jpeg_quality"}, "impress has no setting JPEG quality"),
        ({"x": "edit.seed"}, "explore.x is not valid"),
    ],
)
def test_mistakes_get_a_sentence(client: Client, photo: Path, explore: dict, sentence: str) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(photo), {"explore": explore}, None, None, api_name="/explore")
    assert sentence in str(caught.value) and "Traceback" not in str(caught.value)
