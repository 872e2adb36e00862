"""One perturbation for many pictures: learnt, kept, and added."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods import universal
from impress_ui.methods.attacks.targets import pattern
from impress_ui.methods.optimise import run_to_end
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import LEVELS_PER_UNIT, quantise, save_png, to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import ProtectSettings


@pytest.fixture(scope="module")
def learnt(embedded: Autoencoder) -> Tensor:
    pictures = to_tensor(squares("validation", 32, 4))
    settings = ProtectSettings(method="mist-textural", steps=60)
    return run_to_end(universal.learn(pictures, settings, embedded, seed=1)).result


def test_it_moves_the_latents_of_pictures_that_it_never_saw(
    learnt: Tensor, embedded: Autoencoder, small: Tensor
) -> None:
    assert learnt.shape == (1, 3, 32, 32)
    levels = learnt * LEVELS_PER_UNIT
    assert torch.allclose(levels, levels.round(), atol=1e-4) and levels.abs().max() == pytest.approx(16, abs=1e-3)
    noise = torch.where(torch.rand(learnt.shape, generator=torch.Generator().manual_seed(0)) < 0.5, -1, 1)
    with torch.no_grad():
        goal = embedded.encode(pattern(small))
        clean, protected, noisy = (
            (embedded.encode(y) - goal).flatten(1).norm(dim=1)
            for y in (small, universal.apply(learnt, small), universal.apply(noise * 16 / LEVELS_PER_UNIT, small))
        )
    assert (protected < 0.95 * clean).all() and (protected < 0.97 * noisy).all()


def test_a_seed_means_the_same_again_and_a_stop_keeps_what_is_there(embedded: Autoencoder, small: Tensor) -> None:
    quick = ProtectSettings(steps=3)
    first, again, other = (run_to_end(universal.learn(small, quick, embedded, seed=s)).result for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    last = run_to_end(universal.learn(small, ProtectSettings(steps=500), embedded, should_stop=lambda: True))
    assert last.stopped and last.index == 1 and last.result.abs().max() * LEVELS_PER_UNIT <= 16 + 1e-3


def test_it_is_repeated_over_a_larger_picture_and_cut_for_a_smaller_one() -> None:
    change = torch.zeros(1, 3, 8, 8)
    change[..., 0, 0] = 10 / LEVELS_PER_UNIT
    wide = universal.apply(change, quantise(torch.zeros(2, 3, 12, 20))) - quantise(torch.zeros(1))
    moved = (wide[0, 0] * LEVELS_PER_UNIT).round()
    assert moved.nonzero().tolist() == [[row, column] for row in (0, 8) for column in (0, 8, 16)] and moved.max() == 10
    assert universal.apply(change, torch.ones(1, 3, 5, 4)).shape == (1, 3, 5, 4)
    mask = torch.zeros(1, 1, 12, 20)
    masked = universal.apply(change, quantise(torch.zeros(1, 3, 12, 20)), mask)
    assert torch.equal(masked, quantise(torch.zeros(1, 3, 12, 20)))


def test_a_file_keeps_every_level(learnt: Tensor, tmp_path: Path) -> None:
    path = save_png(universal.to_picture(learnt), tmp_path / "u.png", {"kind": universal.KIND})
    assert torch.allclose(universal.from_file(path), learnt, atol=1e-6)
    extremes = torch.tensor([-64.0, 64, 0]).view(1, 3, 1, 1).expand(-1, -1, 40, 40) / LEVELS_PER_UNIT
    path = save_png(universal.to_picture(extremes), tmp_path / "v.png", {"kind": universal.KIND})
    assert torch.allclose(universal.from_file(path), extremes, atol=1e-6)


def test_mistakes(embedded: Autoencoder, batch: Tensor, tmp_path: Path) -> None:
    for changes in ({"method": "glaze"}, {"norm": "l2"}):
        with pytest.raises(UserError, match="budget in grey levels"):
            run_to_end(universal.learn(batch, ProtectSettings(**changes), embedded))
    with pytest.raises(UserError, match="64 at most"):
        run_to_end(universal.learn(batch, ProtectSettings(budget=200), embedded))
    save_png(Image.new("RGB", (40, 40)), tmp_path / "plain.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "plain.jpg")
    for name in ("plain.png", "plain.jpg"):
        with pytest.raises(UserError, match="no universal perturbation"):
            universal.from_file(tmp_path / name)
