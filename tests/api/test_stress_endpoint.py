"""The stress test as a program calls it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from impress_ui.pictures.images import read_metadata


def test_a_protected_picture_is_put_through_its_purifiers(client: Client, photo: Path, quick: dict) -> None:
    protected, _ = client.predict(handle_file(photo), quick, api_name="/protect")
    settings = {"stress": {"purifiers": "jpeg 40, blur 2, jpeg 30 then fast 2"}}
    job = client.submit(handle_file(protected), settings, handle_file(photo), api_name="/stress")
    files, report = job.result(timeout=300)
    told = [said for _, said in job.outputs() if "seconds_left" in said]
    assert told and told[-1]["purifiers"] == 3
    names = {Path(file).name for file in files}
    assert {"stress.json", "stress.csv", "scatter.svg", "sheet.png", "jpeg-40.png", "protected.png"} <= names
    assert [row["rank"] for row in report["ranking"]] == [1, 2, 3] and report["stopped"] is False
    lefts = [row["protection_left"] for row in report["ranking"]]
    assert lefts == sorted(lefts) and report["given"][0]["protection_left"] == 1
    assert "protection" in report["verdict"] and report["original_known"] is True
    (kept,) = (file for file in files if Path(file).name == "protected.png")
    assert np.array_equal(np.asarray(Image.open(kept)), np.asarray(Image.open(protected)))
    assert read_metadata(kept)["settings"]["stress"]["purifiers"] == report["settings"]["stress"]["purifiers"]
    (table,) = (file for file in files if Path(file).name == "stress.json")
    assert json.loads(Path(table).read_text())["ranking"] == report["ranking"]


@pytest.mark.parametrize(
    ("stress", "sentence"),
    [({"purifiers": "zap"}, "there is no purifier zap"), ({"edits": True}, "give the original")],
)
def test_mistakes_get_a_sentence(client: Client, photo: Path, stress: dict, sentence: str) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(photo), {"stress": stress}, api_name="/stress")
    assert sentence in str(caught.value) and "Traceback" not in str(caught.value)
