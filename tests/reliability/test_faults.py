"""No memory, no number, no disk, wrong weights: each is told in a sentence, and the next job runs."""

from __future__ import annotations

import errno
import gc
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.methods import protect
from impress_ui.methods.optimise import LossHistory, SignStepper, optimise, pixel_range, run_to_end
from impress_ui.models import autoencoder as models
from impress_ui.models import checksums
from impress_ui.models.perceptual import PerceptualDistance
from impress_ui.models.shortage import is_out_of_memory, what_would_fit
from impress_ui.paths import EMBEDDED_CHECKPOINT, ROOT
from impress_ui.pictures.files import written_whole
from impress_ui.pictures.images import open_picture, save_png
from impress_ui.settings import JobSettings, RunSettings
from impress_ui.ui import api, runs
from impress_ui.ui.mistakes import explain

VISITOR: Any = SimpleNamespace(session_hash="visitor")
SETTINGS: dict[str, Any] = {"protect": {"steps": 4}, "run": {"size": 96, "check": False}, "generate": {"count": 4}}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))


# --- memory ------------------------------------------------------------------------------------------------


def failing_at(step: int, error: Callable[[], Exception], held: list[weakref.ref]) -> Callable[..., Any]:
    """An ``objective_of`` whose objective raises at a step, with a large tensor in its hands."""
    real = protect.objective_of

    def objective_of(setup: Any) -> Any:
        objective, calls = real(setup), 0

        class Failing:
            weights = objective.weights

            def __call__(self, x: Tensor) -> Any:
                nonlocal calls
                calls += 1
                if calls > step:
                    large = torch.zeros(1000, 1000)
                    held.append(weakref.ref(large))
                    raise error()
                return objective(x)

        return Failing()

    return objective_of


@pytest.mark.parametrize(
    "error",
    [
        lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        lambda: RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError,
    ],
)
def test_no_memory_says_what_would_fit_and_the_next_job_runs(
    error: Callable[[], Exception], photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref] = []
    with monkeypatch.context() as patch:
        patch.setattr(protect, "objective_of", failing_at(2, error, held))
        with pytest.raises(gr.Error) as caught:
            list(api.protect(str(photo), SETTINGS, request=VISITOR))
    sentence = caught.value.message
    assert "not enough memory" in sentence and "a working size of 64 instead of 96" in sentence
    assert "2 at a time instead of 4" in sentence
    gc.collect()
    assert len(held) == 1 and held[0]() is None  # nothing of the failed job is kept alive, not by the error either
    *_, (path, report) = api.protect(str(photo), SETTINGS, request=VISITOR)
    assert report["stopped"] is False and open_picture(path).image.size == (96, 64)


def test_what_would_fit_is_smaller_in_each_way() -> None:
    job = JobSettings.model_validate({"run": {"size": 256, "precision": "bfloat16"}, "generate": {"count": 1}})
    assert "a working size of 176 instead of 256" in what_would_fit(job) and "bfloat16" not in what_would_fit(job)
    smallest = job.updated(run={"size": 64})
    assert "working size" not in what_would_fit(smallest)
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))


def test_the_device_is_free_again_after_every_mistake(photo: Path) -> None:
    for settings in ({"protect": {"budget": 999}}, {"protect": {"target": "image"}}, {"run": {"checkpoint": "x" * 9}}):
        with pytest.raises(gr.Error):
            list(api.protect(str(photo), settings, request=VISITOR))
    place = runs.JOBS.line.join()
    assert runs.JOBS.line.take(place, 0)
    runs.JOBS.line.leave(place)


# --- numbers -----------------------------------------------------------------------------------------------


class Spoilt:
    """The mean square, but no number from a call on."""

    weights: ClassVar[dict[str, float]] = {}

    def __init__(self, call: int) -> None:
        self.call, self.calls = call, 0

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        self.calls += 1
        value = x.square().mean(dim=(1, 2, 3))
        return {"square": value * float("nan") if self.calls >= self.call else value}


@pytest.mark.parametrize("keep_best", [False, True])
def test_a_loss_that_is_no_number_ends_the_run_with_the_last_good_picture(keep_best: bool) -> None:
    start, history = torch.full((1, 3, 4, 4), 0.9), LossHistory()
    good = run_to_end(optimise(start, Spoilt(99), pixel_range, SignStepper(0.1, decays=False), 3))
    steps = list(optimise(start, Spoilt(5), pixel_range, SignStepper(0.1, decays=False), 20, keep_best=keep_best))
    for step in steps:
        history.add(step)
    last = steps[-1]
    assert last.stopped and last.index == 3 and last.result is not None
    assert torch.equal(last.result, good.result)
    assert "not a number at step 4; the picture of step 3 is kept" in last.fault
    assert len(history.curves["total"]) == 4 and np.isfinite(history.curves["total"]).all()
    with pytest.raises(UserError, match="not a number at step 4"):
        run_to_end(iter(steps))


def test_a_loss_that_is_no_number_at_the_start_is_refused() -> None:
    with pytest.raises(UserError, match="not a number at the start"):
        next(optimise(torch.zeros(1, 3, 4, 4), Spoilt(1), pixel_range, SignStepper(0.1), 5))


def test_the_caller_is_told(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protect, "objective_of", lambda setup: Spoilt(4))
    *_, (path, report) = api.protect(str(photo), SETTINGS, request=VISITOR)
    assert report["stopped"] is True and report["steps_done"] == 2
    assert "not a number at step 3; the picture of step 2 is kept" in report["fault"]
    assert open_picture(path).image.size == (96, 64)


# --- disk --------------------------------------------------------------------------------------------------


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_png(Image.new("RGB", (40, 40), "red"), tmp_path / "a.png")
    before = path.read_bytes()

    def half(self: Image.Image, file: Path, **_: Any) -> None:
        Path(file).write_bytes(before[:50])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(OSError) as caught:
        save_png(Image.new("RGB", (40, 40)), path)
    assert path.read_bytes() == before and [file.name for file in tmp_path.glob("*.png*")] == ["a.png"]
    assert explain(caught.value) == "The disk of this machine is full; what was done before is kept."
    with written_whole(tmp_path / "new") as part:
        part.write_text("x")
    assert (tmp_path / "new").read_text() == "x" and not [*tmp_path.glob(".*part")]


# --- weights -----------------------------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Path]:
    """A copy of the embedded autoencoder's folder, to be damaged; nothing of it stays loaded."""
    folder = tmp_path / "theirs"
    shutil.copytree(EMBEDDED_CHECKPOINT / "vae", folder / "vae")
    before = dict(models._loaded)
    yield folder
    models._loaded.clear()
    models._loaded.update(before)


def test_a_truncated_checkpoint_is_refused_by_name(damaged: Path) -> None:
    file = damaged / "vae/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(UserError, match=r"theirs cannot be loaded .* in its vae"):
        models.load_autoencoder(RunSettings(checkpoint=str(damaged)))


def test_a_wrong_hash_is_refused_by_name(damaged: Path) -> None:
    file = damaged / "vae/diffusion_pytorch_model.safetensors"
    shutil.copy(EMBEDDED_CHECKPOINT / checksums.SUMS, damaged)
    models.load_autoencoder(RunSettings(checkpoint=str(damaged)))
    models._loaded.clear()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1  # one weight's last bit: it would load, and compute something else
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"vae/diffusion_pytorch_model.safetensors are damaged .*wrong SHA-256"):
        models.load_autoencoder(RunSettings(checkpoint=str(damaged)))


def test_the_hubs_cache_names_what_a_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    blob = tmp_path / "blobs" / ("0" * 64)
    save_file({"a": torch.zeros(1)}, blob)
    link = tmp_path / "model.safetensors"
    link.symlink_to(blob)
    with pytest.raises(UserError, match="wrong SHA-256"):
        checksums.check(link)


def test_everything_that_ships_is_listed_and_right() -> None:
    files = [*(ROOT / "assets").rglob("*.safetensors")]
    listed = [file for file in files if checksums.expected_of(file)]
    assert {file.parent.name for file in listed} >= {"vae", "unet", "text_encoder", "lpips", "micro-clip", "jury"}
    for file in listed:
        checksums.check(file)


def test_perceptual_weights_are_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "assets/lpips/alex.safetensors", tmp_path)
    (tmp_path / checksums.SUMS).write_text(f"{'0' * 64}  alex.safetensors\n")
    monkeypatch.setattr("impress_ui.models.perceptual.LPIPS_WEIGHTS", tmp_path)
    with pytest.raises(UserError, match=r"alex.safetensors are damaged"):
        PerceptualDistance("alex")


def test_a_job_that_fails_otherwise_keeps_to_one_sentence(monkeypatch: pytest.MonkeyPatch, photo: Path) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("/secret/path")

    monkeypatch.setattr(workflow, "protect_picture", broken)
    with pytest.raises(gr.Error) as caught:
        list(api.protect(str(photo), SETTINGS, request=VISITOR))
    assert "secret" not in caught.value.message and caught.value.print_exception is False
