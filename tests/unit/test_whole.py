"""Pictures larger than the working size, at their own size: tiles, enlarged changes, views."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.jobs import unfinished, workflow
from impress_ui.measures.metrics import farthest
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import Step, run_to_end
from impress_ui.methods.protect import objective_of, protect
from impress_ui.methods.views import Views, reduced
from impress_ui.methods.whole import enlarged, over_tiles, pieces_of, tiles_of
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import LEVELS_PER_UNIT, open_picture, to_images, to_tensor
from impress_ui.pictures.photographs import wholes
from impress_ui.settings import JobSettings, ProtectSettings, RunSettings
from tests.unit.test_cli import run, run_json

SIDE = 64


@pytest.fixture
def landscape() -> Image.Image:
    """A photograph of 180x90 pixels."""
    return wholes("test", 180, 1)[0]


@pytest.fixture
def strip(landscape: Image.Image) -> Image.Image:
    """A piece of it that is one row of tiles."""
    return landscape.crop((0, 13, 180, 13 + SIDE))


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where unfinished tiles are kept."""
    monkeypatch.setattr(unfinished.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


def job_of(whole: str, **sections: dict[str, object]) -> JobSettings:
    return JobSettings().updated(run={"size": SIDE, "whole": whole}, **{"protect": {"steps": 2}, **sections})


def constant(change: float) -> Iterator[Step]:
    def attempt(piece: Tensor, cut: object) -> Iterator[Step]:
        yield Step(0, 1, {}, piece)
        yield Step(1, 1, {"total": torch.zeros(1)}, piece, piece + change)

    return attempt  # type: ignore[return-value]


@pytest.mark.parametrize("size", [(64, 64), (65, 64), (180, 90), (90, 180), (40, 300), (1000, 33), (3000, 2000)])
def test_tiles_are_of_one_size_cover_everything_and_overlap(size: tuple[int, int]) -> None:
    tiles = tiles_of(size, SIDE)
    covered = np.zeros((size[1], size[0]), dtype=int)
    for tile in tiles:
        assert (tile.width, tile.height) == (min(SIDE, size[0]), min(SIDE, size[1]))
        tile.of(covered)[...] += 1
    assert covered.shape == (size[1], size[0]) and covered.min() >= 1
    for starts, length in (({t.left for t in tiles}, size[0]), ({t.top for t in tiles}, size[1])):
        assert min(starts) == 0 and max(starts) + min(SIDE, length) == length
        assert all(b - a <= SIDE * 3 / 4 for a, b in zip(sorted(starts), sorted(starts)[1:], strict=False))
    assert pieces_of(size, RunSettings(size=SIDE, whole="tiles"))[0] == len(tiles)


def test_a_change_that_is_the_same_everywhere_has_no_seams() -> None:
    x = torch.rand(1, 3, 90, 180) - 0.5
    last = run_to_end(over_tiles(x, constant(0.1), SIDE, lambda y: y, each=1))
    assert torch.allclose(last.result, x + 0.1, atol=1e-6)
    last = run_to_end(enlarged(x, constant(0.1), SIDE, lambda y: y))
    assert torch.allclose(last.result, x + 0.1, atol=1e-6)


@pytest.mark.parametrize("whole", ["enlarged", "tiles", "views"])
def test_the_budget_and_the_mask_hold_at_the_picture_s_own_size(landscape: Image.Image, whole: str) -> None:
    mask = Image.new("L", landscape.size)
    mask.paste(255, (100, 10, 171, 80))
    job = job_of(whole, protect={"steps": 2, "budget": 8, "step_size": 4}, purify={"steps": 1})
    result = to_images(run_to_end(workflow.protect_picture(landscape, job, mask=mask)).result)[0]
    assert result.size == landscape.size and 0 < farthest(result, landscape) <= 8
    changed = np.abs(np.asarray(result, dtype=int) - np.asarray(landscape)).max(axis=2) > 0
    assert not changed[np.asarray(mask) == 0].any() and changed[20:70, 110:160].mean() > 0.3
    purified = to_images(run_to_end(workflow.purify_picture(result, job, mask=mask)).result)[0]
    changed = np.abs(np.asarray(purified, dtype=int) - np.asarray(result)).max(axis=2) > 0
    assert purified.size == landscape.size and not changed[np.asarray(mask) == 0].any() and changed.any()


def test_an_l2_ball_is_kept_by_what_tiles_make(strip: Image.Image) -> None:
    job = job_of("tiles", protect={"steps": 3, "norm": "l2", "l2_radius": 4.0, "l2_step": 2.0})
    x = to_tensor(strip)
    result = run_to_end(workflow.protect_picture(strip, job)).result
    assert 0 < (result - x).norm().item() <= 4.0 * np.sqrt(180 * SIDE / 512**2)


@pytest.mark.parametrize("whole", ["enlarged", "tiles", "views"])
def test_a_picture_of_the_working_size_is_done_as_ever(photographs: list[Image.Image], whole: str) -> None:
    plain = run_to_end(workflow.protect_picture(photographs[0], job_of("no"))).result
    assert torch.equal(run_to_end(workflow.protect_picture(photographs[0], job_of(whole))).result, plain)


def test_a_tile_is_done_as_a_picture_of_its_own(strip: Image.Image, embedded: Autoencoder) -> None:
    x = to_tensor(strip)
    made = run_to_end(workflow.protect_picture(strip, job_of("tiles"))).result
    first = tiles_of(strip.size, SIDE)[0]
    alone = run_to_end(protect(first.of(x), ProtectSettings(steps=2), embedded)).result
    # What only one tile covers: up to where the next ones begin.
    assert torch.equal(made[..., :20, :30], alone[..., :20, :30])


def test_a_stopped_run_goes_on_and_ends_as_if_it_had_not_been_stopped(
    strip: Image.Image, own_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, begun = job_of("tiles"), []

    def counted(x: Tensor, *args: object, **given: object) -> Iterator[Step]:
        begun.append(tuple(x.shape))
        return protect(x, *args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(workflow, "protect", counted)
    whole = run_to_end(workflow.protect_picture(strip, job)).result
    tiles = len(begun)
    assert tiles == len(tiles_of(strip.size, SIDE)) and not list(own_place.glob("*/*"))
    begun.clear()
    *_, half = workflow.protect_picture(strip, job, should_stop=lambda: len(begun) > 2)
    assert half.stopped and half.result is not None and half.index < half.steps
    assert 0 < farthest(to_images(half.result)[0], strip) <= 16 and not torch.equal(half.result, whole)
    done = len(list(own_place.glob("*/*/*.png")))
    begun.clear()
    steps = list(workflow.protect_picture(strip, job))
    assert torch.equal(steps[-1].result, whole) and done > 0 and len(begun) == tiles - done
    assert not list(own_place.glob("*/*"))
    begun.clear()
    run_to_end(workflow.protect_picture(strip, job.updated(run={"seed": 1})))
    assert len(begun) == tiles  # another run's tiles are not taken


def test_steps_are_counted_over_all_tiles_and_losses_come_with_each(strip: Image.Image) -> None:
    steps = list(workflow.protect_picture(strip, job_of("tiles")))
    tiles = len(tiles_of(strip.size, SIDE))
    assert [step.index for step in steps] == sorted(step.index for step in steps)
    assert steps[-1].index == steps[-1].steps == 2 * tiles and {step.points for step in steps} == {tiles}
    assert sum(bool(step.losses) for step in steps) == tiles
    assert all(max(step.picture.shape[-2:]) == SIDE for step in steps)


def test_views_mislead_a_model_that_sees_the_picture_reduced_where_tiles_do_not(
    landscape: Image.Image, embedded: Autoencoder
) -> None:
    def moved(whole: str) -> float:
        job = job_of(whole, protect={"steps": 4, "step_size": 8})
        seen = [
            to_tensor(workflow.seen(image, job))
            for image in (landscape, to_images(run_to_end(workflow.protect_picture(landscape, job)).result)[0])
        ]
        with torch.no_grad():
            clean, protected = map(embedded.encode, seen)
        return float((protected - clean).norm())

    by_tiles = moved("tiles")
    assert moved("views") > 1.5 * by_tiles and moved("enlarged") > 1.5 * by_tiles


def test_the_gradient_of_a_view_is_the_slope_of_what_is_seen(landscape: Image.Image, embedded: Autoencoder) -> None:
    x = to_tensor(landscape).requires_grad_()
    setup = Setup(x.detach(), ProtectSettings(), embedded)
    for turn in range(2):  # the whole picture, and a crop of it

        def loss(y: Tensor, turn: int = turn) -> Tensor:
            views = Views(setup, SIDE, objective_of)
            for _ in range(turn):
                views(y)
            return next(iter(views(y).values())).sum()

        (gradient,) = torch.autograd.grad(loss(x), x)
        direction = gradient.sign() / LEVELS_PER_UNIT / 4
        with torch.no_grad():
            slope = (loss(x + direction) - loss(x - direction)) / 2
        assert float((gradient * direction).sum()) == pytest.approx(float(slope), rel=0.05)


def test_what_is_reduced_is_what_pillow_reduces(landscape: Image.Image) -> None:
    ours = to_images(reduced(to_tensor(landscape), SIDE))[0]
    theirs = landscape.resize((SIDE, SIDE // 2), Image.Resampling.BICUBIC)
    assert ours.size == theirs.size and farthest(ours, theirs) <= 2


def test_a_file_keeps_its_transparency_its_data_and_its_resolution(
    landscape: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, alpha = landscape.copy(), Image.new("L", landscape.size, 255)
    alpha.paste(90, (0, 0, 90, 90))
    given.putalpha(alpha)
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    given.save(tmp_path / "a.png", exif=exif, dpi=(240, 240))
    options = ["--whole", "views", "--size", SIDE, "--steps", 2, "--budget", 8, "--no-check"]
    report = run_json(capsys, "protect", tmp_path / "a.png", "-o", tmp_path / "b.png", *options)
    assert report["measures"]["whole"] == {"width": 180, "height": 90, "linf": 8.0}
    made = Image.open(tmp_path / "b.png")
    assert made.mode == "RGBA" and made.getchannel("A").tobytes() == alpha.tobytes()
    assert made.getexif()[0x010F] == "A camera" and made.info["dpi"] == pytest.approx((240, 240), abs=0.1)
    assert 0 < farthest(made.convert("RGB"), given.convert("RGB")) <= 8
    # Without it the picture is what it was before: reduced, and on white.
    run_json(capsys, "protect", tmp_path / "a.png", "-o", tmp_path / "c.png", *options[2:])
    small = Image.open(tmp_path / "c.png")
    assert small.mode == "RGB" and small.size == (SIDE, SIDE // 2) and not small.getexif()
    assert open_picture(tmp_path / "b.png").image.size == (180, 90)


def test_what_is_transparent_is_measured_as_it_is_seen(
    landscape: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = landscape.copy()
    given.putalpha(Image.new("L", landscape.size, 60))
    given.paste((200, 0, 0, 255), (0, 0, 1, 1))  # so that its transparency varies
    given.save(tmp_path / "a.png")
    options = ["--whole", "enlarged", "--size", SIDE, "--steps", 2, "--no-check"]
    report = run_json(capsys, "protect", tmp_path / "a.png", "-o", tmp_path / "b.png", *options)
    again = run_json(capsys, "measure", tmp_path / "b.png", tmp_path / "a.png", "--size", SIDE)
    assert report["measures"]["against_original"]["rms"] == pytest.approx(again["rms"], rel=0.02)


def test_a_picture_too_long_for_its_working_size_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (300, 40), "teal").save(tmp_path / "long.png")
    options = ["-o", tmp_path / "b.png", "--whole", "tiles", "--size", SIDE]
    status, _, err = run(capsys, "protect", tmp_path / "long.png", *options)
    assert status == 2 and "64x9" in err and "Traceback" not in err


@pytest.mark.parametrize("whole", ["enlarged", "tiles", "views"])
def test_thin_strokes_of_a_mask_are_not_lost(landscape: Image.Image, whole: str) -> None:
    mask = Image.new("L", landscape.size)
    for left in range(20, 160, 20):
        mask.paste(255, (left, 30, left + 1, 60))
    result = to_images(run_to_end(workflow.protect_picture(landscape, job_of(whole), mask=mask)).result)[0]
    changed = np.abs(np.asarray(result, dtype=int) - np.asarray(landscape)).max(axis=2) > 0
    assert changed[np.asarray(mask) > 0].mean() > 0.5 and not changed[np.asarray(mask) == 0].any()


def test_tiles_outside_the_mask_are_not_counted(landscape: Image.Image) -> None:
    mask = Image.new("L", landscape.size)
    mask.paste(255, (0, 0, 5, 5))
    steps = list(workflow.protect_picture(landscape, job_of("tiles"), mask=mask))
    assert steps[-1].steps == 2 and steps[-1].index == 2


def test_a_tile_with_a_fault_is_left_and_the_others_are_done() -> None:
    x, begun = torch.zeros(1, 3, 64, 180), []

    def attempt(piece: Tensor, cut: object) -> Iterator[Step]:
        begun.append(1)
        bad = len(begun) == 2
        yield Step(1, 1, {}, piece, piece + 0.1, stopped=bad, fault="No number." if bad else "")

    *_, last = over_tiles(x, attempt, SIDE, lambda y: y, each=1)
    assert len(begun) == len(tiles_of((180, 64), SIDE)) > 2
    assert last.fault == f"1 of {len(begun)} tiles were left as they were. No number." and last.stopped
    assert last.result[..., -10:].allclose(torch.tensor(0.1)) and last.result.min() >= 0


def test_cropping_is_done_on_the_whole_picture_or_not_at_all(landscape: Image.Image) -> None:
    alone = job_of("tiles", purify={"method": "crop-resize"})
    plain = run_to_end(workflow.purify_picture(landscape, alone.updated(run={"whole": "no"}))).result
    assert torch.equal(run_to_end(workflow.purify_picture(landscape, alone)).result, plain)
    with pytest.raises(UserError, match="a chain with it"):
        workflow.purify_picture(
            landscape, job_of("tiles", purify={"method": "chain", "chain": "jpeg 40, then crop-resize"})
        )


def test_tiles_are_kept_in_no_folder_of_somebody_else_s(own_place: Path) -> None:
    (own_place / "theirs").mkdir()
    (own_place / "theirs" / ("0" * 32)).mkdir()
    os.utime(own_place / "theirs" / ("0" * 32), (0, 0))
    link = own_place / f"impress-unfinished-{os.getuid()}"
    link.symlink_to(own_place / "theirs")
    unfinished.sweep_tiles()
    assert unfinished._root() is None and list((own_place / "theirs").iterdir())
    link.unlink()
    assert unfinished._root() == link
    (link / ("0" * 32)).mkdir()
    (link / "photos").mkdir()
    for name in ("0" * 32, "photos"):
        os.utime(link / name, (0, 0))
    unfinished.sweep_tiles()
    assert [path.name for path in link.iterdir()] == ["photos"]


def test_no_is_a_word_in_yaml_too() -> None:
    assert RunSettings.model_validate({"whole": False}).whole == "no"
