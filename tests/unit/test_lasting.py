"""Protections whose change has a form that outlives a JPEG, and those that lead the latent nowhere but away."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.methods import universal
from impress_ui.methods.attacks.jpeg import BLOCK, TO_YCC, differentiable_jpeg, quantisation_tables
from impress_ui.methods.objectives import LatentShift
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import kept_within, protect
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import LEVELS_PER_UNIT, quantise, to_images, to_tensor
from impress_ui.settings import JobSettings, ProtectSettings
from tests.unit.test_objectives import DoublePrecision, check_gradient, exact, picture  # noqa: F401


def through_pillow(x: Tensor, quality: int) -> Tensor:
    """Pictures as they come back from a JPEG file."""
    made = []
    for image in to_images(x):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        made.append(Image.open(file).convert("RGB"))
    return to_tensor(made)


def moved(result: Tensor, x: Tensor, autoencoder: Autoencoder) -> Tensor:
    """How far the latents are from the original's, as shares of their lengths."""
    with torch.no_grad():
        own = autoencoder.encode(x)
        return (autoencoder.encode(result) - own).flatten(1).norm(dim=1) / own.flatten(1).norm(dim=1)


def shielded(x: Tensor, autoencoder: Autoencoder, **more: object) -> Tensor:
    return run_to_end(protect(x, ProtectSettings(**{"method": "dct-shield", "steps": 16, **more}), autoencoder)).result


def test_the_straight_slope_is_that_of_a_jpeg_that_rounds_nothing() -> None:
    """Without its rounding the map is linear, and finite differences of it are exact: colours, halving, blocks."""
    x, weights = 0.5 * picture(0), picture(1)

    def judged(y: Tensor) -> Tensor:
        return (differentiable_jpeg(y, 75, straight=True) * weights).sum()

    (slope,) = torch.autograd.grad(judged(y := x.clone().requires_grad_()), y)
    rounded = differentiable_jpeg(x, 75, straight=True)
    assert torch.allclose(rounded, differentiable_jpeg(x, 75)) and rounded.abs().max() < 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("impress_ui.methods.attacks.jpeg._straight", lambda c: c)
        assert not torch.allclose(differentiable_jpeg(x, 75, straight=True), rounded, atol=0.02)
        check_gradient(judged, x)
        (expected,) = torch.autograd.grad(judged(y := x.clone().requires_grad_()), y)
    assert torch.allclose(slope, expected)


@pytest.fixture(scope="module")
def shield(small: Tensor, embedded: Autoencoder) -> Tensor:
    """What sixteen steps make of them."""
    return shielded(small, embedded)


@pytest.mark.parametrize("quality", [50, 75])
def test_the_luma_lies_on_the_steps_of_the_jpegs_table(quality: int, small: Tensor, embedded: Autoencoder) -> None:
    """Where nothing is cut by the budget; a change of any other kind lies anywhere between them."""

    def beside(x: Tensor) -> float:
        """The mean distance of the luma's coefficients from the steps: 0.25 at random, 0 upon them."""
        cosine = torch.tensor(
            [
                [
                    (1 / BLOCK if u == 0 else 2 / BLOCK) ** 0.5
                    * float(torch.cos(torch.tensor((2 * i + 1) * u * torch.pi / 16)))
                    for i in range(BLOCK)
                ]
                for u in range(BLOCK)
            ]
        )
        luma = torch.einsum("c,bchw->bhw", torch.tensor(TO_YCC[0]), (x + 1) * 127.5) - 128
        blocks = luma.unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK)
        steps = torch.einsum("ui,vj,byxij->byxuv", cosine, cosine, blocks) / torch.tensor(
            quantisation_tables(quality)[0]
        )
        return float((steps - steps.round()).abs()[..., :4, :4].mean())

    settings = {"kept_quality": quality, "budget": 48, "steps": 4, "step_size": 4.0}
    assert beside(shielded(small, embedded, **settings)) < 0.5 * beside(small)


def test_a_jpeg_of_that_quality_or_above_takes_little_of_it(
    shield: Tensor, small: Tensor, embedded: Autoencoder
) -> None:
    plain = run_to_end(protect(small, ProtectSettings(steps=16), embedded)).result
    for quality, least in ((75, 0.9), (90, 0.9)):
        kept, lost = (
            moved(through_pillow(made, quality), small, embedded) / moved(made, small, embedded)
            for made in (shield, plain)
        )
        assert kept.mean() > least and (kept > lost).all()
    after, of_plain = (moved(through_pillow(made, 75), small, embedded).mean() for made in (shield, plain))
    assert after > of_plain


def test_it_is_stronger_than_the_jpeg_alone_that_it_goes_through(
    shield: Tensor, small: Tensor, embedded: Autoencoder
) -> None:
    alone = quantise(differentiable_jpeg(small, 75))
    assert (moved(shield, small, embedded) > 2 * moved(alone, small, embedded)).all()


@pytest.mark.parametrize("bounds", [{"budget": 0}, {"budget": 5}, {"budget": 16, "smooth_share": 0.25}, {"norm": "l2"}])
def test_bounds_hold_whatever_the_form_is(bounds: dict[str, object], batch: Tensor, embedded: Autoencoder) -> None:
    odd = batch[:1, :, :51, :39]
    mask = torch.zeros_like(odd[:, :1])
    mask[..., 5:30] = 1
    settings = ProtectSettings(method="dct-shield", steps=3, **bounds)
    result = run_to_end(protect(odd, settings, embedded, mask=mask)).result
    change = result - odd
    assert not change[..., :5].any() and not change[..., 30:].any() and torch.equal(result, quantise(result))
    if settings.norm == "linf":
        assert (change * LEVELS_PER_UNIT).abs().max() <= settings.budget + 1e-3
        assert bool(change.any()) == bool(settings.budget)
    else:
        assert 0 < change.norm() <= 16 * (odd[0].numel() / (3 * 512**2)) ** 0.5


def test_what_tiles_make_has_the_form_of_the_whole_picture(
    photographs: list[Image.Image], embedded: Autoencoder
) -> None:
    image = photographs[0].resize((150, 100))
    job = JobSettings().updated(
        protect={"method": "dct-shield", "steps": 3}, run={"size": 64, "whole": "tiles", "device": "cpu"}
    )
    x, result = to_tensor(image), run_to_end(workflow.protect_picture(image, job)).result
    assert ((result - x) * LEVELS_PER_UNIT).abs().max() <= 16 + 1e-3
    again = through_pillow(result, 75)
    plain = run_to_end(workflow.protect_picture(image, job.updated(protect={"method": "photoguard-encoder"}))).result
    assert (again - result).abs().mean() < 0.5 * (through_pillow(plain, 75) - plain).abs().mean()
    # What no tile has touched is left alone, JPEG or not.
    half = torch.cat([x[..., :64], result[..., 64:]], dim=-1)
    assert torch.equal(kept_within(half, x, job.protect)[..., :64], x[..., :64])


def test_no_universal_perturbation_has_such_a_form(batch: Tensor, embedded: Autoencoder) -> None:
    with pytest.raises(UserError, match="forms its change"):
        next(universal.learn(batch, ProtectSettings(method="dct-shield", steps=1), embedded))


def test_the_shift_and_its_gradient(exact: DoublePrecision) -> None:  # noqa: F811
    x, other = picture(0), picture(1)
    shift = LatentShift(exact, x)
    with torch.no_grad():
        expected = (exact.encode(other) - exact.encode(x)).norm()
    assert shift.weights == {"latent shift": -1.0}
    assert shift(other)["latent shift"].item() == pytest.approx(expected.item(), rel=5e-3)
    check_gradient(lambda y: shift(y)["latent shift"], other)


@pytest.mark.parametrize("start", [{"random_start": False}, {"norm": "l2"}])
def test_it_leaves_the_picture_itself_where_the_distance_has_no_slope(
    start: dict[str, object], small: Tensor, embedded: Autoencoder
) -> None:
    settings = ProtectSettings(method="edit-shield", steps=12, **start)
    result = run_to_end(protect(small, settings, embedded)).result
    assert (moved(result, small, embedded) > 0.1).all()


def test_away_from_itself_within_a_jpeg(batch: Tensor, embedded: Autoencoder) -> None:
    pair = batch[:2]
    away, to_zero = (shielded(pair, embedded, away=away, budget=8, steps=8) for away in (True, False))
    assert ((away - pair) * LEVELS_PER_UNIT).abs().max() <= 8 + 1e-3
    left, of_targeted = (moved(through_pillow(made, 75), pair, embedded).mean() for made in (away, to_zero))
    assert left > 1.2 * of_targeted
    with pytest.raises(UserError, match="one encoder alone"):
        next(protect(batch, ProtectSettings(method="dct-shield", away=True), embedded, others=[embedded]))


def test_edit_shield_leads_nowhere_so_not_several_encoders(batch: Tensor, embedded: Autoencoder) -> None:
    with pytest.raises(UserError, match="photoguard-encoder, dct-shield or mist-textural"):
        next(protect(batch, ProtectSettings(method="edit-shield"), embedded, others=[embedded]))
