"""Sentences that name the trouble: files that are not what they are taken for, options that would change nothing."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.models.checkpoints import find_source
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.settings import RunSettings
from tests.conftest import ROOT
from tests.unit.small_checkpoints import save_sd
from tests.unit.test_cli import run


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sd(tmp_path_factory.mktemp("small") / "sd")


@pytest.fixture
def checkpoint(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "sd"))


def scheduler(checkpoint: Path, **changes: str) -> RunSettings:
    file = checkpoint / "scheduler/scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return RunSettings(checkpoint=str(checkpoint), device="cpu")


def test_a_prediction_that_is_not_known_is_refused_where_the_checkpoint_is_read(checkpoint: Path) -> None:
    with pytest.raises(UserError, match=r"predicts 'sample'; known are epsilon and v_prediction"):
        load_diffusion_model(scheduler(checkpoint, prediction_type="sample"))


@pytest.mark.parametrize(
    "kind", ["UniPCMultistep", "DEISMultistep", "DDPM", "LCM", "HeunDiscrete", "DPMSolverSinglestep"]
)
def test_schedulers_that_the_sampler_replaces_need_not_be_known(
    checkpoint: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scheduler(checkpoint, _class_name=f"{kind}Scheduler")
    for sampler in ("checkpoint", "ddim"):
        status, _, err = run(
            capsys, "generate", "-o", tmp_path / f"{sampler}.png", "--count", 1, "--steps", 3, "--width", 64,
            "--height", 64, "--sampler", sampler, "--checkpoint", checkpoint, "--device", "cpu",
        )  # fmt: skip
        assert status == 0, err
        assert (tmp_path / f"{sampler}.png").is_file()


def test_a_pointer_of_git_is_no_weights(checkpoint: Path) -> None:
    weights = checkpoint / "vae/diffusion_pytorch_model.safetensors"
    weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 334643276\n")
    with pytest.raises(UserError, match="git lfs pull"):
        find_source(str(checkpoint)).part("vae")


def test_weights_of_another_variant_are_named(checkpoint: Path) -> None:
    folder = checkpoint / "unet"
    (folder / "diffusion_pytorch_model.safetensors").rename(folder / "diffusion_pytorch_model.non_ema.safetensors")
    with pytest.raises(UserError, match=r"rename diffusion_pytorch_model\.non_ema\.safetensors"):
        find_source(str(checkpoint)).part("unet")


def test_the_hub_s_cache_offers_its_snapshot(checkpoint: Path, tmp_path: Path) -> None:
    outer = tmp_path / "models--org--name"
    (outer / "snapshots").mkdir(parents=True)
    checkpoint.rename(outer / "snapshots/0123abc")
    with pytest.raises(UserError, match="snapshots/0123abc; give that folder"):
        find_source(str(outer))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["purify", "{photo}", "-o", "{out}", "--method", "jpeg", "--alpha", "0.5"], "--alpha changes nothing with"),
        (["protect", "{photo}", "-o", "{out}", "--method", "glaze", "--l2-radius", "9"], "--l2-radius changes nothing"),
        (["protect", "{photo}", "-o", "{out}", "--l2-step", "2"], "--l2-step changes nothing without --norm l2"),
        (["protect", "{photo}", "-o", "{out}", "--norm", "l2", "--budget", "2"], "nothing without --norm linf"),
        (["protect", "{photo}", "-o", "{out}", "--adaptive", "unrolled", "--beta", "2"], "consistency or loss"),
        (["protect", "{photo}", "-o", "{out}", "--draws", "2"], "--draws changes nothing without --robust-to"),
        (["purify", "{photo}", "-o", "{out}", "--start-quality", "9", "--start", "protected"], "without --start jpeg"),
        (["purify", "{photo}", "-o", "{out}", "--alpha", "0,5"], "written with a point: 0.5"),
        (["protect", "{photo}", "-o", "{out}", "--seed", "-1"], "leave it out for 0"),
        (["protect", "{photo}", "-o", "{out}", "--budget", "200"], "needs a mask"),
        (["edit", "{photo}", "-o", "{out}", "--mask", "{photo}", "--mode", "img2img"], "mask is for --mode inpaint"),
        (["settings", "{jpeg}"], "picture that carries no settings"),
        (["mimic", "{outer}", "-o", "{folder}"], "its folder 10_name does"),
        (["serve", "--host", "no.such.host.invalid"], "no address of this machine"),
    ],
)
def test_the_sentence_names_the_trouble(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg")
    (tmp_path / "outer/10_name").mkdir(parents=True)
    shutil.copy(photo, tmp_path / "outer/10_name/a.png")
    places = {"photo": photo, "out": tmp_path / "o.png", "jpeg": tmp_path / "a.jpg", "outer": tmp_path / "outer"}
    places["folder"] = tmp_path / "made"
    status, out, err = run(capsys, *(part.format(**places) for part in arguments))
    assert status == 2 and out == "" and words in err and "The setting settings" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--help"], {}, "--port"),
        (["--listen"], {}, "--listen"),
        (["--port", "99999"], {}, "--port"),
        ([], {"GRADIO_SERVER_PORT": "abc"}, "GRADIO_SERVER_PORT is 'abc'"),
        ([], {"GRADIO_TEMP_DIR": "/proc/none"}, "set GRADIO_TEMP_DIR"),
    ],
    ids=["help", "unknown", "no port", "port in words", "no place"],
)
def test_app_py_takes_the_options_of_serve_or_says_what_is_wrong(
    arguments: list[str], environment: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
    with pytest.raises(SystemExit) as caught:  # nothing else: a traceback would be another exception
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    said = capsys.readouterr()
    status = caught.value.code  # Python prints a sentence that is given as the code, and ends with 1
    assert words in said.out + said.err + str(status)
    assert (not status) == (arguments == ["--help"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("protect", "{photo}", "--universal", "u.png", "--budget", 2), "--budget changes nothing with --universal"),
        (("protect", "{photo}", "--target-image", "{photo}", "--target", "zero"), "contradict each other"),
        (("protect", "{photo}", "--invert-mask"), "--invert-mask changes nothing without --mask"),
        (("purify", "{photo}", "--invert-mask"), "--invert-mask changes nothing without --mask"),
        (("purify", "", "--method", "jpeg"), "The name of the picture is empty"),
        (("protect", " "), "The name of the picture is empty"),
        (("universal", ""), "The name of the picture is empty"),
    ],
)
def test_what_changes_nothing_or_names_nothing_is_refused(
    options: tuple[object, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (64, 64), "teal").save(photo)
    given = [str(option).format(photo=photo) for option in options]
    status, _, err = run(capsys, *given, "-o", tmp_path / "out.png")
    assert status == 2 and told in err and not (tmp_path / "out.png").exists()
