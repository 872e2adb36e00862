from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from impress_ui.models.perceptual import load_perceptual
from impress_ui.pictures.images import to_tensor

DATA = Path(__file__).parent.parent / "data"


def load(name: str) -> torch.Tensor:
    return to_tensor(Image.open(DATA / f"{name}.png"))


@pytest.mark.parametrize(
    ("network", "picture", "published"),
    [("alex", "ex_p0", 0.722), ("alex", "ex_p1", 0.138), ("vgg", "ex_p0", 0.569), ("vgg", "ex_p1", 0.422)],
)
def test_golden_distances(network: str, picture: str, published: float) -> None:
    """The example pictures of the LPIPS repository and the distances published with them."""
    assert load_perceptual(network)(load("ex_ref"), load(picture)).item() == pytest.approx(published, abs=0.002)


@pytest.mark.parametrize("network", ["alex", "vgg"])
def test_the_two_halves_are_the_packages_own_forward(network: str) -> None:
    module, x, y = load_perceptual(network), load("ex_ref"), load("ex_p1")
    halves = module.between(module.features(x), module.features(y))
    assert torch.allclose(halves, module.lpips(x, y).flatten(), atol=1e-6)


def test_features_of_one_reference_serve_a_batch() -> None:
    module, reference = load_perceptual("alex"), load("ex_ref")
    features = module.features(reference)
    together = module.between(module.features(torch.cat([load("ex_p0"), load("ex_p1")])), features)
    assert together.tolist() == pytest.approx([0.722, 0.138], abs=0.002)


def test_weights_are_frozen_and_loaded_once() -> None:
    assert not any(parameter.requires_grad for parameter in load_perceptual("alex").parameters())
    assert load_perceptual("alex") is load_perceptual("alex")
