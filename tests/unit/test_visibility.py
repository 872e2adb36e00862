"""A budget that is the smaller, the smoother the picture is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import generic_filter
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.methods.optimise import Step, run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.universal import learn
from impress_ui.methods.visibility import LUMA, local_deviation, radius_of
from impress_ui.methods.whole import tiles_of
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import LEVELS_PER_UNIT, to_tensor
from impress_ui.settings import JobSettings, ProtectSettings

SPARED = ProtectSettings(budget=16, smooth_share=0.25, steps=6)


def test_the_deviation_is_scipys(small: Tensor) -> None:
    x = small[:1, :, :20, :26]
    luma = np.tensordot(np.array(LUMA), x[0].double().numpy(), axes=1)
    expected = generic_filter(luma, np.std, size=7, mode="nearest")
    assert np.allclose(local_deviation(x)[0, 0], expected, atol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.15, 0.5, 1.0])
def test_flat_areas_get_their_share_and_textured_ones_all_in_whole_levels(share: float) -> None:
    x = torch.zeros(1, 3, 32, 64)
    x[..., 32:] = (torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)) > 0.5) * 1.8 - 0.9
    levels = radius_of(x, 16, share) * LEVELS_PER_UNIT
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert levels[..., :28].max().item() == pytest.approx(int(16 * share), abs=1e-4)
    assert levels[..., 36:].min().item() == pytest.approx(16, abs=1e-4)


def test_each_pixel_keeps_its_own_budget_in_8_bits(small: Tensor, embedded: Autoencoder) -> None:
    result = run_to_end(protect(small, SPARED, embedded)).result
    change = ((result - small).abs() * LEVELS_PER_UNIT).amax(dim=1, keepdim=True)
    allowed = radius_of(small, 16, 0.25) * LEVELS_PER_UNIT
    assert (change <= allowed + 1e-3).all()
    assert change.max().item() == pytest.approx(16, abs=1e-3) and allowed.min() < 8
    # A picture does not depend on its neighbours.
    alone = run_to_end(protect(small[1:2], SPARED, embedded)).result
    assert torch.equal(alone, run_to_end(protect(small[1:2].clone(), SPARED, embedded)).result)


def test_without_a_share_nothing_is_other_than_it_was(small: Tensor, embedded: Autoencoder) -> None:
    whole = ProtectSettings(budget=16, steps=3)
    given = ProtectSettings(budget=16, steps=3, smooth_share=1.0)
    assert torch.equal(
        run_to_end(protect(small, whole, embedded)).result, run_to_end(protect(small, given, embedded)).result
    )


def test_where_there_is_no_budget_for_it_it_is_refused(small: Tensor, embedded: Autoencoder) -> None:
    with pytest.raises(UserError, match="choose the norm linf"):
        next(protect(small, ProtectSettings(norm="l2", smooth_share=0.5), embedded))
    with pytest.raises(UserError, match="knows no smooth areas"):
        next(learn(small, SPARED, embedded))


def test_a_tile_is_as_smooth_as_it_is_in_the_whole_picture(photographs: list) -> None:
    image = photographs[0].resize((160, 120))
    job = JobSettings().updated(
        protect={"budget": 16, "smooth_share": 0.2, "steps": 2}, run={"size": 64, "whole": "tiles", "device": "cpu"}
    )
    x = to_tensor(image, "cpu")
    seen: list[Tensor] = []

    def noted(*given: Any, **options: Any) -> Iterator[Step]:
        seen.append(options["radii"])
        return protect(*given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow, "protect", noted)
        result = run_to_end(workflow.protect_picture(image, job)).result
    allowed = radius_of(x, 16, 0.2)
    assert ((result - x).abs().amax(dim=1, keepdim=True) <= allowed + 1e-5).all()
    tiles = tiles_of((160, 120), 64)
    assert len(seen) == len(tiles) and all(
        torch.equal(own, tile.of(allowed)) for own, tile in zip(seen, tiles, strict=True)
    )
