"""The study of a style and the settings' check, as a program calls them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from impress_ui.jobs import documents
from impress_ui.pictures.images import read_metadata

TINY = {
    "run": {"size": 64},
    "protect": {"method": "photoguard-encoder", "steps": 2},
    "purify": {"method": "jpeg"},
    "mimic": {"steps": 3, "works": 4, "imitations": 2, "batch": 1, "preview_every": 0},
    "generate": {"sampling_steps": 2},
}


def test_a_style_is_studied_and_packed(client: Client, tmp_path: Path) -> None:
    job = client.submit("Cobalt", TINY, None, api_name="/style")
    (packed,), report = job.result(timeout=200)
    told = [said for _, said in job.outputs()]
    assert {"protect", "fine-tune", "generate"} <= {said.get("phase") for said in told}
    assert report["artist"] == "Cobalt" and report["stopped"] is False and "Cobalt" in report["verdict"]
    assert {name: score["of"] for name, score in report["scores"].items()} == {
        "clean": 2,
        "protected": 2,
        "purified": 2,
    }
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        assert {"README.txt", "settings.json", "losses.csv", "verdict.txt"} <= names
        assert sum(name.startswith("pictures/") for name in names) == 3 * (4 + 2)
        assert all(not name.endswith((".pt", ".bin", ".pkl")) for name in names)
        rows = list(csv.DictReader(io.StringIO(archive.read("losses.csv").decode())))
        assert [row["step"] for row in rows] == ["1", "2", "3"] and float(rows[-1]["purified"]) > 0
        assert archive.read("settings.json").decode() == documents.to_json(documents.checked(report["settings"]))
        (judged, *_) = sorted(name for name in names if "clean-imitation" in name)
        archive.extract(judged, tmp_path)
    assert read_metadata(tmp_path / judged)["measures"]["taken_for"] == report["scores"]["clean"]["taken_for"][0]


def test_style_mistakes_get_a_sentence(client: Client, photo: Path) -> None:
    nobody, few = ("Nobody", TINY), ("mine", TINY, [handle_file(photo)])
    for arguments, told in ((nobody, "no artist Nobody"), (few, "at least 4")):
        with pytest.raises(AppError) as caught:
            client.predict(*arguments, api_name="/style")
        assert told in str(caught.value) and "Traceback" not in str(caught.value)


def test_settings_are_checked_and_written_out(client: Client, tmp_path: Path) -> None:
    told = client.predict("?protect.budget=8&purify.recipe=paper", api_name="/settings")
    assert told["settings"]["purify"]["steps"] == 3000 and documents.from_link(told["link"]).protect.budget == 8
    assert client.predict(json.dumps(told), api_name="/settings") == told
    assert client.predict("paper-style", api_name="/settings")["settings"]["protect"]["method"] == "glaze"
    secret = tmp_path / "settings.json"
    secret.write_text('{"run": {"seed": 99}}')
    for text, sentence in (
        ("?protect.budget=1000000", "protect.budget is not valid"),
        ('{"protect": {"bugdet": 1}}', "no setting named protect.bugdet"),
        ("{" * 50, "not JSON"),
        ("quik", "no preset quik"),
        (str(secret), "no preset"),  # a file of the server is not read
    ):
        with pytest.raises(AppError, match=sentence):
            client.predict(text, api_name="/settings")
