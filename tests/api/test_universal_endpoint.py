"""A universal perturbation as a program learns it and adds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from impress_ui.pictures.images import read_metadata


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_what_is_learnt_is_added(client: Client, photo: Path, tmp_path: Path) -> None:
    settings = {"run": {"size": 96}, "protect": {"steps": 3, "budget": 12}}
    learnt, report = client.predict([handle_file(photo), handle_file(photo)], settings, api_name="/universal")
    assert (report["pictures"], report["steps_done"], report["stopped"]) == (2, 3, False)
    assert len(report["losses"]["latent distance"]) == 4
    change = pixels(learnt) - 128
    assert 0 < np.abs(change).max() <= 12 and read_metadata(learnt)["kind"] == "universal perturbation"
    kept = tmp_path / "kept.png"
    kept.write_bytes(Path(learnt).read_bytes())
    protected, report = client.predict(handle_file(photo), settings, universal=handle_file(kept), api_name="/protect")
    assert np.array_equal(pixels(protected), np.clip(pixels(photo) + change[:64, :96], 0, 255))
    assert report["measures"]["against_original"]["linf"] <= 12
    with pytest.raises(AppError, match="no universal perturbation"):
        client.predict(handle_file(photo), settings, universal=handle_file(photo), api_name="/protect")


def test_there_must_be_pictures(client: Client) -> None:
    with pytest.raises(AppError, match="no pictures to learn from"):
        client.predict(None, {}, api_name="/universal")
