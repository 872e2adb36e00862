"""Protections made through what pictures go through: the alterations, their gradients, and that they help."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.measures.costs import attack_of
from impress_ui.methods.attacks.jpeg import _rounded, differentiable_jpeg
from impress_ui.methods.attacks.robust import ALTERED, Robust
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purifiers.jpeg import jpeg
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import ProtectSettings
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def pair(photographs: list[Image.Image]) -> Tensor:
    """Two photographs (2, 3, 48, 48)."""
    return torch.cat([to_tensor(picture, "cpu") for picture in photographs[:2]])


@pytest.mark.parametrize("quality", [10, 40, 75, 95])
@pytest.mark.parametrize("size", [(96, 64), (61, 47)])
def test_jpeg_is_pillows_but_for_the_rounding_of_colours(quality: int, size: tuple[int, int]) -> None:
    with Image.open(ROOT / "assets/photos/test/canyon1.jpg") as photo:
        picture = photo.convert("RGB").resize(size)
    for image, worst in ((picture.convert("L").convert("RGB"), 0.4), (picture, 1.5)):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        real = np.asarray(Image.open(file)).astype(float)
        ours = (differentiable_jpeg(to_tensor(image, "cpu"), quality)[0].permute(1, 2, 0).numpy() + 1) * 127.5
        assert np.abs(ours.round() - real).mean() < worst
        assert np.abs(ours.round() - real).mean() < 0.75 * np.abs(np.asarray(image) - real).mean()


def test_the_slope_of_rounding_is_that_of_the_cube() -> None:
    c = torch.tensor([-1.4, -0.1, 0.0, 0.2, 0.49, 3.3], dtype=torch.float64, requires_grad=True)
    rounded = _rounded(c)
    assert torch.equal(rounded.detach(), c.detach().round())
    (slope,) = torch.autograd.grad(rounded.sum(), c)
    assert torch.allclose(slope, 3 * (c - c.round()).detach() ** 2)


@pytest.mark.parametrize("kind", ["resize", "blur", "noise", "crop"])
def test_gradients_are_those_of_finite_differences(kind: str) -> None:
    x = torch.rand(1, 3, 12, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 0.5
    altered = lambda y: ALTERED[kind](y, torch.Generator().manual_seed(2))  # noqa: E731
    assert torch.autograd.gradcheck(altered, x.requires_grad_(), eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("kind", list(ALTERED))
def test_what_is_drawn_depends_on_the_seed_and_not_on_the_batch(kind: str, pair: Tensor) -> None:
    def altered(x: Tensor, seed: int = 5) -> Tensor:
        return ALTERED[kind](x, torch.Generator().manual_seed(seed))

    both = altered(pair)
    assert both.shape == pair.shape and not torch.allclose(both, pair, atol=1e-3)
    assert torch.allclose(both[1:], altered(pair[1:]), atol=1e-5)
    assert kind == "learned" or not torch.equal(both, altered(pair, 6))


def test_the_mean_is_of_the_picture_and_its_versions(pair: Tensor, embedded: Autoencoder) -> None:
    class Brightness:
        weights = {"brightness": 2.0}  # noqa: RUF012
        seen: list[Tensor] = []  # noqa: RUF012

        def __call__(self, x: Tensor) -> dict[str, Tensor]:
            self.seen.append(x)
            return {"brightness": x.mean(dim=(1, 2, 3))}

    settings = ProtectSettings(robust_to=["jpeg", "blur"], draws=3)
    objective = Robust(Brightness(), Setup(pair, settings, embedded))
    terms = objective(pair)
    assert objective.weights == {"brightness": 2.0} and len(Brightness.seen) == 4
    assert torch.equal(Brightness.seen[0], pair)
    assert torch.allclose(terms["brightness"], torch.stack([x.mean(dim=(1, 2, 3)) for x in Brightness.seen]).mean(0))


def test_more_outlives_what_it_was_made_for_within_the_same_budget(pair: Tensor, embedded: Autoencoder) -> None:
    clean = embedded.encode(pair)
    left = {}
    for kinds in ((), ("jpeg",)):
        settings = ProtectSettings(steps=12, step_size=3, robust_to=kinds)
        protected = run_to_end(protect(pair, settings, embedded)).result
        assert ((protected - pair).abs().max() * 127.5).round() <= settings.budget
        left[kinds] = (embedded.encode(jpeg(protected, 75)) - clean).flatten(1).norm(dim=1)
    assert (left["jpeg",] > 1.05 * left[()]).all()


def test_the_estimate_knows_what_it_costs() -> None:
    (_, plain), (_, robust) = (
        attack_of(ProtectSettings(robust_to=kinds, draws=2), (64, 64)) for kinds in ((), ("noise",))
    )
    assert robust == 3 * plain


def test_a_protection_that_trains_in_turn_is_refused(
    pair: Tensor, embedded: Autoencoder, model: DiffusionModel
) -> None:
    for adaptive in ("none", "unrolled"):
        settings = ProtectSettings(method="aspl", steps=2, robust_to=["blur"], adaptive=adaptive)
        with pytest.raises(UserError, match="in turn"):
            next(iter(protect(pair, settings, embedded, model=model)))


def test_the_terms_against_impress_are_of_the_picture_itself(pair: Tensor, embedded: Autoencoder) -> None:
    settings = ProtectSettings(robust_to=["crop"], draws=3, adaptive="consistency", steps=1, random_start=False)
    first = next(iter(protect(pair, settings, embedded)))
    own = ((embedded.reconstruct(pair) - pair) ** 2).mean(dim=(1, 2, 3))
    assert torch.allclose(first.losses["round-trip error"], own, rtol=1e-4)
