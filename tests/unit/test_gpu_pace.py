"""A GPU's pace: what is counted, what is measured and written, and what a Space reckons with it."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from impress_ui.bench import gpu_pace as bench
from impress_ui.bench.plan import Plan
from impress_ui.errors import UserError
from impress_ui.measures import gpu_pace
from impress_ui.measures.gpu_pace import GpuPace, read_pace, write_pace
from impress_ui.models.checkpoints import find_source
from impress_ui.models.operations import counted, operations
from impress_ui.settings import JobSettings, RunSettings
from impress_ui.ui import zero_gpu
from impress_ui.ui.gpu_seconds import BACK, MARGIN, PER_GIGABYTE, PER_STEP, Work, reckoned
from tests.unit.small_checkpoints import save_sd, save_sdxl
from tests.unit.test_cli import run, run_json

GPU = GpuPace(0.05, "NVIDIA Example", "embedded", 512, "2.14")


@pytest.fixture(scope="module")
def sd(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_sd(tmp_path_factory.mktemp("checkpoints") / "sd"))


def test_operations_are_those_of_the_layers() -> None:
    layer = torch.nn.Conv2d(3, 8, 3, padding=1)
    with torch.device("meta"):
        count, made = counted(lambda: layer.to("meta")(torch.empty(1, 3, 10, 20)))
    assert count == 2 * 3 * 9 * 8 * 10 * 20 / 1e12 and made.shape == (1, 8, 10, 20)


def test_a_checkpoint_s_operations_grow_with_the_picture(sd: str, tmp_path: Path) -> None:
    small, large = (operations(find_source("embedded"), (side, side), denoiser=True) for side in (128, 256))
    assert large.encode == pytest.approx(4 * small.encode) and large.decode == pytest.approx(4 * small.decode)
    assert 3.9 * small.denoise < large.denoise < 8 * small.denoise  # the prompt stays, attention grows faster
    # VGG16's first seven convolutions alone are 0.37 million operations a pixel.
    assert 0.37e6 < 1e12 * small.encode / 128**2 < 0.45e6
    assert 0.005 < small.gigabytes < 0.1
    for folder in (sd, str(save_sdxl(tmp_path / "xl"))):
        own = operations(find_source(folder), (100, 60), denoiser=True)
        assert min(own.encode, own.decode, own.denoise) > 0
        assert operations(find_source(folder), (100, 60), denoiser=False).denoise == 0


def test_operations_are_given_though_another_thread_forgets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgotten(dict):
        """Cleared as soon as something stands in it."""

        def __setitem__(self, key: object, value: object) -> None:
            pass

    monkeypatch.setattr("impress_ui.models.operations._counted", Forgotten())
    assert operations(find_source("embedded"), (64, 64), denoiser=False).encode > 0


def test_the_pace_is_measured_on_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(RunSettings(device="cpu"), True, lambda _: None, repeats=1)
    monkeypatch.setattr(bench, "time_in_turn", lambda cases, *_: {"pace": Taken()})
    pace = bench.measure_gpu_pace(plan, 64)
    own = operations(find_source("embedded"), (64, 64), denoiser=False)
    # Frozen, a pass back is one product for each of the pass forward, but for the first layer's.
    assert 10 / pace.seconds == pytest.approx(2 * (own.encode + own.decode), rel=0.02)
    assert pace.device == "cpu" and pace.side == 64 and pace.checkpoint == "embedded"
    with pytest.raises(UserError, match="float32 alone"):
        bench.measure_gpu_pace(dataclasses.replace(plan, run=RunSettings(device="cpu", precision="bfloat16")), 64)


class Taken:
    """What took ten seconds."""

    def as_dict(self) -> dict[str, float]:
        return {"seconds": 10.0}


def test_the_command_measures_writes_and_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, sd: str
) -> None:
    file = tmp_path / "gpu-pace.json"
    monkeypatch.setattr(gpu_pace, "write_pace", lambda given: write_pace(given, file))
    monkeypatch.setattr(bench.measure_gpu_pace, "__defaults__", (64,))
    given = ("bench", "--gpu-pace", "--device", "cpu", "--checkpoint", sd, "--repeats", "1")
    report = run_json(capsys, *given)
    assert report["seconds"] > 0 and "file" not in report and not file.exists()
    assert "Not written" in report["summary"]
    monkeypatch.setattr(bench, "measure_gpu_pace", lambda _: GPU)
    report = run_json(capsys, *given)
    assert report["file"] == str(file) and read_pace(file) == GPU
    for more, named in (
        (("--quick",), "leave --quick out"),
        (("--side", "128", "--photographs", "2"), "leave --side and --photographs out"),
    ):
        status, _, err = run(capsys, "bench", "--gpu-pace", *more)
        assert status == 2 and named in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 0}, "none that this program measured"),
        ({"seconds": float("nan")}, "none that this program measured"),
        ({"seconds": "fast"}, "none that this program measured"),
        ({"seconds": True}, "none that this program measured"),
        ({"colour": "red"}, "none that this program measured"),
        ({"operation": "a denoising step"}, "another version"),
        ({"seconds": 10**400}, "none that this program measured"),
        ({"side": 0}, "none that this program measured"),
        ({"device": "cpu"}, "measured without a GPU"),
        ({"device": "mps"}, "measured without a GPU"),
        ({"device": ""}, "measured without a GPU"),
    ],
)
def test_an_odd_or_stale_file_is_told_in_a_sentence(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    file = tmp_path / "pace.json"
    file.write_text(json.dumps(dataclasses.asdict(GPU) | change))
    with pytest.raises(UserError, match=words) as caught:
        read_pace(file)
    assert "bench --gpu-pace" in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_json_is_told_and_no_file_is_no_mistake(tmp_path: Path) -> None:
    assert read_pace(tmp_path / "none.json") is None
    for text in ("{", "[]", "1" * 20_000, "[" * 9000, ""):
        (tmp_path / "pace.json").write_text(text)
        with pytest.raises(UserError, match=r"pace\.json"):
            read_pace(tmp_path / "pace.json")
    with pytest.raises(UserError, match="cannot be written"):
        write_pace(GPU, tmp_path / "nowhere" / "pace.json")
    assert read_pace(write_pace(GPU, tmp_path / "pace.json")) == GPU


def test_the_time_of_a_protection_is_its_passes_times_the_pace() -> None:
    job = JobSettings().updated(protect={"steps": 10}, run={"check": False})
    own = operations(find_source("embedded"), (256, 256), denoiser=False)
    seconds = reckoned(("protect",), job, (256, 256), 1, 2.0, 15)
    assert seconds == pytest.approx(
        15 + PER_GIGABYTE * own.gigabytes + MARGIN * 2.0 * 10 * BACK * own.encode + 10 * PER_STEP
    )
    # A larger picture is reduced to the working size first.
    assert reckoned(("protect",), job, (4000, 4000), 1, 2.0, 15) == pytest.approx(seconds)


def test_the_time_grows_with_checkpoint_size_method_and_steps(sd: str) -> None:
    def seconds(part: str, size: int = 256, **sections: Any) -> float:
        return reckoned((part,), JobSettings().updated(**sections), (size, size), 1, 100.0, 15)

    for part in ("protect", "purify", "edit", "generate", "stress", "explore", "style"):
        plain = seconds(part)
        assert plain > 15, part
        assert seconds(part, run={"checkpoint": sd}) != plain, part
    assert seconds("protect", protect={"steps": 80}) > seconds("protect")
    assert seconds("protect", 128) < seconds("protect")
    assert seconds("protect", protect={"method": "photoguard-diffusion"}) > 2 * seconds("protect")
    assert seconds("protect", protect={"robust_to": ("jpeg",), "draws": 3}) > 2 * seconds("protect")
    assert seconds("purify", purify={"method": "jpeg"}) < seconds("purify")
    assert seconds("purify", purify={"method": "sdedit"}) > seconds("purify", purify={"method": "jpeg"})
    assert seconds("stress", stress={"edits": True}) > seconds("stress", stress={"edits": False})
    assert not Work(JobSettings(), (256, 256), 1, whole=False).operations((256, 256)).denoise


def test_a_space_reckons_with_the_file_and_with_an_assumption_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    many = JobSettings().updated(purify={"steps": 400})
    file = tmp_path / "gpu-pace.json"
    monkeypatch.setattr(zero_gpu, "read_pace", lambda: read_pace(file))
    assert zero_gpu.seconds_for(("purify",), many) == zero_gpu.LEAST  # nobody lends a GPU
    monkeypatch.setattr(zero_gpu, "ON_ZERO_GPU", True)

    def asked() -> int:
        zero_gpu.measured.cache_clear()
        return zero_gpu.seconds_for(("purify",), many)

    try:
        before = asked()
        write_pace(dataclasses.replace(GPU, seconds=2 * zero_gpu.ASSUMED_PACE), file)
        assert before < asked() <= zero_gpu.MOST
        write_pace(dataclasses.replace(GPU, seconds=1e-3), file)
        assert asked() == zero_gpu.LEAST
        with caplog.at_level(logging.WARNING):
            file.write_text("{}")
            assert asked() == before and "none that this program measured" in caplog.text
            monkeypatch.setattr("impress_ui.ui.gpu_seconds.operations", lambda *_, **__: 1 / 0)
            assert asked() == zero_gpu.UNCOUNTED and "cannot be counted" in caplog.text
    finally:
        zero_gpu.measured.cache_clear()
