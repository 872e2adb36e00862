"""The experiments on protections made against IMPRESS, and on foreign autoencoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from impress_ui.errors import UserError
from impress_ui.experiments.adaptive import ADAPTIVE, forms
from impress_ui.experiments.settings import AdaptiveSettings, TransferSettings
from impress_ui.experiments.table import run_experiment
from impress_ui.experiments.transfer import TRANSFER
from impress_ui.experiments.transfer import names_of as names_of_checkpoints
from impress_ui.pictures.images import open_picture
from impress_ui.pictures.photographs import names_of, square
from tests.unit.small_checkpoints import autoencoder

SMALL = {
    "run": {"size": 64},
    "protect": {"steps": 4, "step_size": 8},
    "purify": {"steps": 1},
    "edit": {"sampling_steps": 2},
    "photographs": 1,
}


@pytest.mark.usefixtures("small_squares")
def test_consistency_buys_agreement_with_strength(tmp_path: Path) -> None:
    settings = AdaptiveSettings.model_validate({**SMALL, "betas": [3000], "terms": ["consistency"], "unrolled": False})
    report = run_experiment("adaptive", settings, tmp_path, str)
    rows = {row["form"]: row for row in report["rows"]}
    assert list(rows) == ["clean", "none", "consistency 3000"] and not report["failed"]
    clean, plain, adaptive = rows.values()
    assert (clean["latent_before"], clean["edit_ssim_before"], clean["left"]) == (0, 1, None)
    assert clean["latent_after"] > 0  # what the purifier does to any picture
    assert plain["left"] == pytest.approx(plain["latent_after"] / plain["latent_before"])
    # The paper's trade: a picture that agrees with its reconstruction is a weaker protection.
    assert adaptive["round_trip_error"] < plain["round_trip_error"]
    assert adaptive["latent_before"] < plain["latent_before"]
    assert (adaptive["beta"], plain["beta"]) == (3000, None)
    charts = {path.name for path in tmp_path.glob("adaptive_*.svg")}
    kinds = ("latent", "edit_ssim")
    assert charts == {f"adaptive_photoguard-encoder_consistency_{kind}.svg" for kind in kinds}
    assert (tmp_path / "adaptive_photoguard-encoder_edits.png").exists()


def test_forms_of_a_protection() -> None:
    settings = AdaptiveSettings.model_validate({"protect": {"steps": 9}, "methods": ["photoguard-encoder", "glaze"]})
    ours = forms("photoguard-encoder", settings)
    assert len(ours) == 2 + 2 * len(settings.betas) + 1 and ours["clean"] is None
    assert {form.steps for form in ours.values() if form} == {9}
    assert (ours["loss 300"].adaptive, ours["loss 300"].beta) == ("loss", 300)
    glaze = forms("glaze", settings)["unrolled"]
    assert (glaze.method, glaze.cap, glaze.adaptive) == ("glaze", 16, "unrolled")  # the form for two cores
    assert len(ADAPTIVE.units(settings)) == 8 * 2 * len(ours)
    with pytest.raises(ValidationError, match="greater than 0"):
        AdaptiveSettings(betas=(0.0,))


@pytest.fixture
def foreign(tmp_path: Path) -> str:
    """A narrow autoencoder of Stable Diffusion's class with random weights."""
    autoencoder().save_pretrained(tmp_path / "small")
    return str(tmp_path / "small")


@pytest.mark.usefixtures("small_squares")
def test_transfer_asks_each_autoencoder_by_itself(tmp_path: Path, foreign: str) -> None:
    settings = TransferSettings.model_validate({**SMALL, "checkpoints": [foreign]})
    report = run_experiment("transfer", settings, tmp_path / "out", str)
    names = ["embedded", "small"]
    rows = {(row["protect"], row["purify"], row["see"]): row for row in report["rows"]}
    assert not report["failed"] and set(report["checkpoints"]) == {"embedded", foreign}
    protectors = (*names, "embedded + small")
    assert set(rows) == {(a, b, c) for a in ("none", *protectors) for b in ("none", *names) for c in names}
    for (protector, purifier, viewer), row in rows.items():
        assert (row["edit_ssim"] is None) == (viewer != "embedded")
        if purifier == "none":
            assert row["left"] == (None if protector == "none" else pytest.approx(1))
    # An attack moves the encoder that it was made on further than the others move of it.
    assert rows["embedded", "none", "embedded"]["latent"] > 0.2
    # One figure from first principles: the other autoencoder, loaded by diffusers alone, on the picture that was kept.
    from diffusers import AutoencoderKL

    second = AutoencoderKL.from_pretrained(foreign).eval()
    (name,) = names_of("test")[:1]
    (kept,) = (tmp_path / "out/transfer/pictures").glob(f"{name}-protected-on-embedded-purified-with-none.*.png")

    def latent(image) -> torch.Tensor:
        x = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            return second.encode(x).latent_dist.mean

    goal, moved = latent(square(name, "test", 32)), latent(open_picture(kept).image)
    distance = ((moved - goal).norm() / goal.norm()).item()
    assert rows["embedded", "none", "small"]["latent"] == pytest.approx(distance, rel=1e-3)
    assert "denoiser" in report["edits"] and (tmp_path / "out/transfer_left_small.svg").exists()


def test_checkpoints_of_one_name_are_told_apart() -> None:
    named = names_of_checkpoints(TransferSettings(checkpoints=("a/small", "embedded", "b/small", "c/none")))
    assert named == {"embedded": "embedded", "small": "a/small", "small-2": "b/small", "none-2": "c/none"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "beside the embedded one"),
        ({"checkpoints": ["x"], "protect": {"method": "advdm"}}, "with autoencoders alone"),
        ({"checkpoints": ["x"], "run": {"checkpoint": "y"}}, "always there"),
    ],
)
def test_what_a_transfer_cannot_do(given: dict, why: str) -> None:
    with pytest.raises(UserError, match=why):
        TRANSFER.units(TransferSettings.model_validate(given))
