"""The benchmark: that its baselines are the published algorithms, and that its arithmetic and its words are right."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from impress_ui.bench import gpu, published, startup
from impress_ui.bench.clock import Case, Times, passing, ratio, time_in_turn
from impress_ui.bench.goals import judge
from impress_ui.bench.plan import Plan
from impress_ui.bench.plot import lines
from impress_ui.bench.quality import _share
from impress_ui.bench.report import as_text, refuse_bad_output, write_report
from impress_ui.errors import UserError
from impress_ui.methods.attacks.diffusion_attack import EditDistance
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.settings import ProtectSettings, PurifySettings, RunSettings


def reached(run: Any, step: int) -> Tensor:
    return next(islice(run, step, None))


def test_the_published_purifier_is_our_paper_recipe(embedded: Autoencoder, small: Tensor) -> None:
    settings = PurifySettings(recipe="paper", steps=8)
    theirs = reached(published.impress(small[:1], settings, embedded), 3)
    ours = reached(purify(small[:1], settings, embedded), 4).picture
    assert (theirs - ours).abs().max() < 1e-3
    assert (theirs - small[:1]).abs().max() > 0.05


def test_the_published_encoder_attack_is_ours(embedded: Autoencoder, small: Tensor) -> None:
    settings = ProtectSettings(steps=8)
    theirs = list(published.encoder_attack(small[:1], settings, embedded))
    ours = [step.picture for step in protect(small[:1], settings, embedded)]
    # A sign tips where a gradient is nearly zero, and steps of one sign then part; so the first step, and the end.
    assert ((theirs[0] - ours[1]).abs() > 1e-4).float().mean() < 0.03
    with torch.no_grad():
        reached_norms = [embedded.encode(picture).norm().item() for picture in (theirs[-1], ours[-1])]
    assert reached_norms[0] == pytest.approx(reached_norms[1], rel=0.1)


def test_the_published_glaze_lowers_the_same_loss(embedded: Autoencoder, small: Tensor) -> None:
    x, target = small[:1], small[1:2]
    settings = ProtectSettings(method="glaze", steps=30, glaze_rate=0.03)
    glazed = reached(published.glaze(x, target, settings, embedded), 20)
    with torch.no_grad():
        goal = embedded.encode(target)
        before, after = ((embedded.encode(picture) - goal).square().mean().item() for picture in (x, glazed))
    assert after < 0.5 * before


def test_the_published_diffusion_attack_has_our_gradient(model: DiffusionModel, small: Tensor) -> None:
    x = small[:1]
    settings = ProtectSettings(method="photoguard-diffusion", repetitions=1, attacked_steps=2)
    value, theirs = published.DiffusionAttack(model, settings, torch.zeros_like(x), seed=5).gradient(x)
    seen = x.clone().requires_grad_()
    distance = EditDistance(model, settings, torch.zeros_like(x), seed=5)(seen)["edit distance"]
    (ours,) = torch.autograd.grad(distance.sum(), seen)
    assert distance.item() == pytest.approx(value.item(), rel=1e-3)
    assert torch.nn.functional.cosine_similarity(theirs.flatten(), ours.flatten(), dim=0) > 0.999
    assert not any(p.requires_grad for p in model.unet.parameters())  # the baseline unfroze copies


def test_cases_are_timed_in_turn() -> None:
    calls: list[str] = []
    cases = {name: Case(lambda name=name: calls.append(name), steps=2) for name in ("a", "b")}
    times = time_in_turn(cases, 3, "cpu")
    assert calls == ["a", "b"] * 4  # a round to warm up
    assert all(len(taken.wall) == 3 for taken in times.values())


def test_ratios_are_medians_of_each_rounds() -> None:
    # The machine is ten times slower in the second round: the ratio does not mind.
    over, under = Times([2.0, 20.0, 3.0], [1.0, 1.0, 1.0]), Times([1.0, 10.0, 1.0], [2.0, 1.0, 4.0])
    assert ratio(over, under) == {"wall": 2.0, "processor": 0.5}


def test_a_floor_passes_forward_and_back() -> None:
    x = torch.ones(3)
    seen: list[bool] = []

    def function(value: Tensor) -> Tensor:
        value.register_hook(lambda gradient: seen.append(bool((gradient == 2).all())))
        return 2 * value

    passing((function, x)).unit()
    assert seen == [True] and not x.requires_grad


def point(steps: int, seconds: float, loss: float) -> dict[str, float]:
    named = {"ssim": 0.5, "ssim_of_v": 0.5, "psnr": 20.0, "lpips": 0.1, "round_trip_error": loss}
    times = {"seconds": seconds, "processor_seconds": 2 * seconds}
    return {"steps": steps, **times, "loss": loss, "latent_distance": loss, **named}


def test_the_share_of_the_time_is_that_of_the_first_point_as_good() -> None:
    fast = [point(5, 1.0, 0.4), point(10, 2.0, 0.2), point(40, 8.0, 0.1)]
    assert _share(fast, point(1000, 100.0, 0.2), "loss") == {"steps": 10, "wall": 0.02, "processor": 0.02}
    assert _share(fast, point(1000, 100.0, 0.05), "loss") is None


def example_report() -> dict[str, Any]:
    """A report with made-up figures of the shape that a quick benchmark has."""
    taken = {"seconds": 1.0, "fastest": 0.9, "processor_seconds": 1.5, "repeats": 3}
    both = {"wall": 1.2, "processor": 1.05}
    ways = {"published": taken, "ours": taken, "floor": taken, "speedup": {"ours": both}, "over_floor": {"ours": both}}
    impress = {**ways, "paper": taken, "fast": taken}
    impress |= {key: {"paper": both, "fast": both} for key in ("speedup", "over_floor")}
    memory = {"peak": 900.0, "over_idle": 100.0}
    quality = {
        "recipe": "paper", "photographs": 1, "side": 64, "steps": 1000, "worse": ["loss"],
        "start": {**point(0, 0, 0.5), "clean_round_trip_error": 0.01},
        "published": [point(10, 1.0, 0.3), point(1000, 100.0, 0.1)], "fast": [point(5, 0.5, 0.2), point(40, 4.0, 0.15)],
        "share_of_time": {"loss": None, "latent_distance": both}, "share_of_time_of_a_whole_run": both,
    }  # fmt: skip
    quality["share_of_time"]["latent_distance"] = {"steps": 5, **both}
    return {
        "bench": "quick", "checkpoint": "embedded", "side": 128, "seed": 0, "seconds": 60.0,
        "machine": {"processor": "P", "cores": 2, "threads": 2, "device": "cpu", "precision": "float32", "torch": "2",
                    "load": 0.1},
        "start_up": {"help_seconds": 0.5, "help_processor_seconds": 0.4, "page_seconds": 7.0,
                     "page_processor_seconds": 5.0, "idle_memory": 1024.0},
        "memory": {"diffusion attack": {"published": memory, "ours": {**memory, "share_of_published": 0.4}}},
        "steps": {"encoder attack": ways, "impress": impress},
        "page": {"headless": taken, "page": taken, "page_over_headless": both},
        "surrogate": {"tiny": taken, "embedded": taken, "tiny_over_embedded": both, "steps": 40, "exact_steps": 10,
                      "most_speedup": both},
        "same_quality": quality,
    }  # fmt: skip


def test_goals_are_met_missed_or_not_measured() -> None:
    report = example_report()
    judged = {goal["goal"]: goal for goal in judge(report)}
    assert judged["encoder attack: a step over its floor"]["met"]  # by processor time, on a CPU
    assert not judged["the page answers, seconds"]["met"] and judged["the page at rest, GiB"]["value"] == 1.0
    lost = judged["fast: share of the time to the published end's loss"]
    assert lost["value"] is None and not lost["met"]
    assert not any(name.startswith(("GLAZE", "full-size")) for name in judged)
    report["machine"]["device"] = "some GPU"
    assert not {goal["goal"]: goal for goal in judge(report)}["encoder attack: a step over its floor"]["met"]


def test_the_report_is_written_with_its_plots(tmp_path: Path) -> None:
    report = example_report()
    report["goals"] = judge(report)
    text = as_text(report)
    assert "| the page answers, seconds | ≤ 6 | 7 | **missed** |" in text
    assert "does not reach the published loss of paper's end" in text and "How the cost grows" not in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")
    write_report(report, tmp_path / "performance.md")
    assert (tmp_path / "performance.md").read_text().startswith("# Performance\n")
    for name in ("latent_distance", "loss"):
        assert f"performance_{name}_against_seconds.svg" in (tmp_path / "performance.md").read_text()
        ElementTree.parse(tmp_path / f"performance_{name}_against_seconds.svg")


@pytest.mark.parametrize("log_y", [False, True])
def test_plots_keep_their_points_in_the_frame_and_in_order(log_y: bool) -> None:
    svg = lines("t", "x", "y", {"a": [(64, 0.03), (128, 0.5), (512, 7.0)]}, log_y=log_y)
    root = ElementTree.fromstring(svg)
    path = next(root.iter("{http://www.w3.org/2000/svg}polyline")).attrib["points"]
    points = [tuple(map(float, pair.split(","))) for pair in path.split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert all(64 <= x <= 464 and 44 <= y <= 272 for x, y in points)
    # Side 128 lies a third of the way from 64 to 512 where the axis is logarithmic.
    (left, _), (middle, _), (right, _) = points
    assert (middle - left) / (right - left) == pytest.approx(math.log(2) / math.log(8), abs=0.01)


@pytest.mark.parametrize(("name", "told"), [("out.txt", "ends in .md"), ("nowhere/out.md", "no folder")])
def test_a_file_that_cannot_be_written_is_refused_at_once(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=told):
        refuse_bad_output(tmp_path / name)
    refuse_bad_output(tmp_path / "out.md")


@pytest.mark.slow
def test_a_quick_benchmark_shows_the_ratios(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "impress_ui", "bench", "--quick", "--repeats", "1", "--side", "64", "--json"]
    done = subprocess.run(
        [*command, "--write", str(tmp_path / "p.md")], capture_output=True, text=True, check=True, timeout=1200
    )
    report = json.loads(done.stdout)
    assert {"steps", "page", "memory", "same_quality", "goals"} <= set(report)
    assert report["steps"]["impress"]["over_floor"]["fast"]["processor"] < 1.5
    assert (tmp_path / "p.md").is_file()


def test_the_gpu_s_table_has_every_size_and_says_what_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    small = gpu.Kind(
        {**gpu._SD_VAE, "block_out_channels": (32, 32, 32, 32), "layers_per_block": 1},
        {
            "sample_size": 8, "block_out_channels": (32, 64), "layers_per_block": 1, "cross_attention_dim": 32,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"), "attention_head_dim": 8,
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        },
    )  # fmt: skip
    full = gpu.Kind({**gpu._SD_VAE, "block_out_channels": (32, 32, 32, 32), "layers_per_block": 1})
    monkeypatch.setattr(gpu, "DTYPES", {"float32": torch.float32})
    monkeypatch.setattr(gpu, "REPEATS", 1)

    def no_room(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    plan = Plan(RunSettings(device="cpu"), True, lambda _: None)
    rows = gpu.gpu(plan, {"small": small}, (32,))
    assert len(rows) == 2 and all(row[job] > 0 for row in rows for job in gpu.JOBS)
    monkeypatch.setattr(gpu, "protect", no_room)
    (row, _) = gpu.gpu(plan, {"alone": full}, (32,))
    assert row["encoder attack"] is None and row["denoising"] is None and row["paper"] > 0
    assert "| alone | 32 | float32 | all | – | " in gpu.as_table([row])


def test_the_published_sizes_are_published() -> None:
    from diffusers import AutoencoderKL, UNet2DConditionModel

    with torch.device("meta"):  # shapes without weights
        counts = {
            name: [
                sum(p.numel() for p in made(**given).parameters()) / 1e6 if given else 0
                for made, given in ((AutoencoderKL, kind.vae), (UNet2DConditionModel, kind.unet))
            ]
            for name, kind in gpu.KINDS.items()
        }
    assert counts["SD 1.5"] == pytest.approx([83.65, 859.5], rel=1e-3)
    assert counts["SDXL"] == pytest.approx([83.65, 2567.5], rel=1e-3)
    assert counts["FLUX VAE"] == pytest.approx([83.8, 0], rel=1e-2)


def test_the_page_s_share_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "STREAMED_STEPS", 2)
    cost = startup.page_cost(Plan(RunSettings(device="cpu"), True, lambda _: None, side=64, repeats=1))
    assert cost["headless"]["seconds"] > 0 and cost["page_over_headless"]["wall"] > 0.5
