"""Numbers that are none become no picture, no figure and no verdict."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from impress_ui.cli import app
from impress_ui.errors import UserError
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures.images import to_images, to_tensor
from impress_ui.settings import RunSettings
from tests.unit.small_checkpoints import save_sd


def spoilt(folder: Path, tensor: str, factor: float) -> Path:
    """A small checkpoint, one tensor of whose autoencoder is multiplied."""
    save_sd(folder)
    path = folder / "vae/diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, tensor: tensors[tensor] * factor}, path, metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="module")
def overflowing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In float16 alone: 1e5 is more than its largest number."""
    return spoilt(tmp_path_factory.mktemp("overflows") / "sd", "decoder.conv_in.weight", 1e6)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In every precision."""
    return spoilt(tmp_path_factory.mktemp("broken") / "sd", "decoder.conv_out.weight", math.nan)


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit | UserError), done.exception
    return done.exit_code, done.stdout, done.stderr + str(done.exception or "")


def test_half_precision_that_overflows_goes_on_in_float32_and_says_so(overflowing: Path, batch: torch.Tensor) -> None:
    whole = load_autoencoder(RunSettings(checkpoint=str(overflowing), device="cpu"))
    half = load_autoencoder(RunSettings(checkpoint=str(overflowing), device="cpu", precision="float16"))
    assert half.dtype == torch.float16 and half.note == ""
    seen = half.reconstruct(batch)
    assert half.dtype == torch.float32 and "overflows in float16, so it was computed in float32" in half.note
    assert torch.isfinite(seen).all() and (seen - whole.reconstruct(batch)).abs().mean() < 0.05
    assert "float32" in half.describe()


def test_what_was_asked_for_is_told_on_the_command_line(overflowing: Path, photo: Path, tmp_path: Path) -> None:
    status, out, _ = run(
        "reconstruct", photo, "-o", tmp_path / "v.png", "--checkpoint", overflowing, "--precision", "float16",
        "--device", "cpu", "--json",
    )  # fmt: skip
    assert status == 0 and "overflows in float16" in " ".join(json.loads(out)["model_notes"])
    with Image.open(tmp_path / "v.png") as image:
        assert image.convert("L").getextrema()[1] > 0


@pytest.mark.parametrize(
    "command",
    [
        ("reconstruct", "{photo}", "-o", "{out}"),
        ("purify", "{photo}", "-o", "{out}", "--steps", "2"),
        ("edit", "{photo}", "{other}", "-o", "{folder}", "--sampling-steps", "2"),
        ("generate", "-o", "{folder}", "--sampling-steps", "2"),
        ("measure", "{photo}", "{other}"),
        ("stress", "{photo}", "--purifiers", "jpeg 40"),
    ],
    ids=lambda command: command[0],
)
def test_weights_that_are_no_numbers_end_in_one_sentence(
    command: tuple[str, ...], broken: Path, photo: Path, tmp_path: Path
) -> None:
    with Image.open(photo) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "other.png")
    places = {"photo": photo, "other": tmp_path / "other.png", "out": tmp_path / "o.png", "folder": tmp_path / "edits"}
    given = [part.format(**places) for part in command]
    status, out, err = run(*given, "--checkpoint", broken, "--device", "cpu", "--json")
    assert status != 0 and out == ""
    assert f"The autoencoder of the checkpoint {broken.name} gives" in err and "no numbers" in err
    assert not (tmp_path / "o.png").exists()


def test_a_tensor_that_is_no_picture_is_refused(batch: torch.Tensor) -> None:
    for number in (math.nan, math.inf, -math.inf):
        x = batch.clone()
        x[0, 0, 0, 0] = number
        with pytest.raises(UserError, match="no picture"):
            to_images(x)
    assert torch.equal(to_tensor(to_images(batch)), batch)
