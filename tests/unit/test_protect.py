from __future__ import annotations

import pytest
import torch

from impress_ui.errors import UserError
from impress_ui.methods.optimise import Step, run_to_end
from impress_ui.methods.protect import protect
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import LEVELS_PER_UNIT, to_images, to_tensor
from impress_ui.settings import ProtectSettings


def levels(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).abs().max() * LEVELS_PER_UNIT).item()


@pytest.mark.parametrize("budget", [0, 1, 8, 16])
def test_the_budget_holds_after_eight_bit_rounding(embedded: Autoencoder, small: torch.Tensor, budget: int) -> None:
    result = run_to_end(protect(small, ProtectSettings(budget=budget, steps=4), embedded)).result
    stored = to_tensor(to_images(result))
    assert torch.equal(stored, result)
    assert levels(stored, small) <= budget + 1e-3
    if budget:
        assert levels(stored, small) == pytest.approx(budget, abs=1e-3)  # sign steps use the budget up


def test_the_latent_reaches_for_its_target(embedded: Autoencoder, small: torch.Tensor) -> None:
    steps = list(protect(small, ProtectSettings(steps=15), embedded))
    assert (steps[-1].losses["total"] < 0.8 * steps[0].losses["total"]).all()


def test_targets(embedded: Autoencoder, small: torch.Tensor) -> None:
    def start(settings: ProtectSettings, **more: torch.Tensor) -> Step:
        return next(iter(protect(small, settings, embedded, **more)))

    still = {"budget": 0, "steps": 1}
    with torch.no_grad():
        latent = embedded.encode(small)
        grey = embedded.encode(torch.zeros_like(small[:1]))
        other = embedded.encode(small[1:2])
    for target, goal in (("zero", torch.zeros_like(grey)), ("grey", grey), ("image", other)):
        step = start(ProtectSettings(target=target, **still), **({"target": small[1:2]} if target == "image" else {}))
        assert torch.allclose(step.losses["latent distance"], (latent - goal).flatten(1).norm(dim=1), rtol=1e-4)
    with pytest.raises(UserError, match="needs a target picture"):
        start(ProtectSettings(target="image"))


def test_only_masked_pixels_change(embedded: Autoencoder, small: torch.Tensor) -> None:
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:20, 10:20] = 1
    result = run_to_end(protect(small, ProtectSettings(steps=3), embedded, mask=mask)).result
    changed = (result != small).any(dim=1)
    assert changed[:, 10:20, 10:20].float().mean() > 0.9
    changed[:, 10:20, 10:20] = False
    assert not changed.any()


def test_a_seed_gives_the_same_bytes(embedded: Autoencoder, small: torch.Tensor) -> None:
    first, again, other = (
        run_to_end(protect(small, ProtectSettings(steps=3), embedded, seed=seed)).result for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_stop(embedded: Autoencoder, small: torch.Tensor) -> None:
    last = run_to_end(protect(small, ProtectSettings(steps=500), embedded, should_stop=lambda: True))
    assert last.stopped and last.index == 1 and levels(last.result, small) <= 16 + 1e-3
