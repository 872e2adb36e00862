from __future__ import annotations

import pytest
import torch
from lpips import LPIPS
from PIL import Image

from impress_ui.art.painting import STYLES
from impress_ui.jobs.workflow import protect_picture
from impress_ui.methods.attacks.glaze import PerceptualExcess, StyleDistance, farthest_style, style_targets
from impress_ui.methods.attacks.setup import Sum
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.perceptual import PerceptualDistance, load_perceptual
from impress_ui.pictures.images import LEVELS_PER_UNIT, to_images, to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import JobSettings, ProtectSettings

QUICK = {"method": "glaze", "steps": 12, "glaze_rate": 0.03}


@pytest.fixture(scope="module")
def batch(batch: torch.Tensor) -> torch.Tensor:
    """Pieces of 32 pixels are enough for what holds for every picture."""
    return batch[..., 16:48, 16:48].contiguous()


@pytest.fixture(scope="module")
def alex() -> PerceptualDistance:
    return load_perceptual("alex")


def test_the_terms_by_hand(embedded: Autoencoder, batch: torch.Tensor, alex: PerceptualDistance) -> None:
    original, target, x = batch[:1], batch[1:2], (batch[:1] + 0.8 * batch[2:3]).clamp(-1, 1)
    loss = Sum([StyleDistance(embedded, target), PerceptualExcess(alex, original, budget=0.05, weight=30)])
    terms = loss(x)
    with torch.no_grad():
        theirs: LPIPS = alex.lpips  # the published package's own forward pass
        expected = theirs(x, original).flatten() - 0.05
        unit = embedded.module.config.scaling_factor / 0.18215
        distance = ((embedded.encode(x) - embedded.encode(target)) * unit).pow(2).mean()
    assert expected > 0  # or the hinge would hide the test
    assert torch.allclose(terms["perceptual"], expected, atol=1e-5)
    assert terms["style distance"].item() == pytest.approx(distance.item(), rel=1e-5)
    assert loss.weights == {"perceptual": 30}
    assert loss(original)["perceptual"].item() == 0


def test_it_moves_towards_the_target_within_its_budgets(embedded: Autoencoder, batch: torch.Tensor) -> None:
    target = batch.roll(1, 0)
    capped = run_to_end(protect(batch, ProtectSettings(**QUICK, cap=6), embedded, target=target))
    steps = list(protect(batch, ProtectSettings(**QUICK), embedded, target=target))
    assert (steps[-1].losses["style distance"] < 0.8 * steps[0].losses["style distance"]).all()
    for last, low, high in ((capped, 5, 6), (steps[-1], 6, 255)):
        assert torch.equal(to_tensor(to_images(last.result)), last.result)
        assert low <= ((last.result - batch).abs().max() * LEVELS_PER_UNIT).item() <= high + 1e-3


def test_a_larger_weight_keeps_it_nearer(embedded: Autoencoder, alex: PerceptualDistance) -> None:
    batch = to_tensor(squares("test", 64, 3))
    distances = [
        alex(run_to_end(protect(batch, ProtectSettings(**QUICK, perceptual_weight=weight), embedded,
                                target=batch.roll(1, 0))).result, batch).mean().item()
        for weight in (0, 300)
    ]  # fmt: skip
    assert distances[1] < 0.7 * distances[0]


def test_the_target_is_an_edit_in_the_style(model: DiffusionModel, photographs: list[Image.Image]) -> None:
    settings = ProtectSettings(method="glaze", style_strength=0.3)
    one, again = (style_targets(photographs[:1], "mosaic", settings, model, seed=3) for _ in range(2))
    other = style_targets(photographs[:1], "pencil sketch", settings, model, seed=3)
    assert one[0].tobytes() == again[0].tobytes() != other[0].tobytes()
    assert one[0].size == photographs[0].size
    assert style_targets(photographs[:1], "mosaic", settings, model, should_stop=lambda: True) is None


class Judge:
    """Finds mosaic everywhere and least of all woodcut."""

    classes = ("photograph", *STYLES, "Cobalt")

    def scores(self, images):
        row = torch.full((len(self.classes),), 0.05)
        row[self.classes.index("mosaic")] = 0.6
        row[self.classes.index("woodcut")] = 0.01
        row[self.classes.index("Cobalt")] = 1e-6  # least of all, but no style that the model knows
        return row.expand(len(images), -1)


def test_the_farthest_style_is_one_that_the_model_knows(photographs: list[Image.Image]) -> None:
    assert farthest_style(photographs, Judge()) == "woodcut"


def test_a_picture_is_protected_with_a_style_of_its_own_choice_or_towards_a_given_picture(
    photographs: list[Image.Image],
) -> None:
    job = JobSettings().updated(run={"device": "cpu"}, protect={**QUICK, "steps": 2, "style_strength": 0.2})
    first, *_ = protect_picture(photographs[0], job)
    given, *_ = protect_picture(photographs[0], job, target=photographs[1])
    assert set(first.losses) == {"total", "style distance", "perceptual"}
    assert given.losses["style distance"] != first.losses["style distance"]


def test_the_method_brings_its_steps_along() -> None:
    assert ProtectSettings(method="glaze").steps == 500
    assert ProtectSettings(method="glaze", steps=7).steps == 7
    assert ProtectSettings().steps == 40
