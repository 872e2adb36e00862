"""Every protection, by the same promises."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import run_to_end, sum_terms
from impress_ui.methods.protect import objective_of, protect
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import LEVELS_PER_UNIT, quantise, to_tensor
from impress_ui.settings import ProtectSettings
from impress_ui.ui.curves import SERIES

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = {
    **{name: {"steps": 5, "step_size": 6.0} for name, method in PROTECTIONS.items() if method.ball == "norm"},
    **{name: {"steps": 8, "glaze_rate": 0.03, "cap": 20} for name, each in PROTECTIONS.items() if each.ball == "lpips"},
}
QUICK["photoguard-diffusion"] |= {"attacked_steps": 1, "repetitions": 1}
QUICK["aspl"] |= {"attack_steps": 4, "surrogate_steps": 1}


def quick(method: str, **more: object) -> ProtectSettings:
    return ProtectSettings(method=method, **{**QUICK[method], **more})


class Bench:
    """A picture, the model, and for GLAZE and Nightshade a target picture, which spares the edit that makes one."""

    def __init__(self, model: DiffusionModel, batch: Tensor) -> None:
        self.model, self.x, self.other = model, batch[:1], batch[1:2]

    def setup(self, settings: ProtectSettings, **more: object) -> Setup:
        target = self.other if PROTECTIONS[settings.method].ball == "lpips" else None
        return Setup(self.x, settings, self.model.autoencoder, self.model, target, **more)

    def run(self, settings: ProtectSettings, **more: object) -> Tensor:
        target = self.other if PROTECTIONS[settings.method].ball == "lpips" else None
        return run_to_end(
            protect(self.x, settings, self.model.autoencoder, model=self.model, target=target, **more)
        ).result

    def losses(self, settings: ProtectSettings, *pictures: Tensor) -> list[float]:
        """The objective with more noises, the same for every picture, and not those of a run."""
        if "repetitions" in ProtectSettings.fields_of[settings.method]:
            settings = settings.model_copy(update={"repetitions": 2})
        objective = objective_of(self.setup(settings, seed=1234))
        with torch.no_grad():
            return sum_terms(objective(torch.cat(pictures)), objective.weights).tolist()


@pytest.fixture(scope="module")
def bench(model: DiffusionModel, photographs: list[Image.Image]) -> Bench:
    """The embedded checkpoint and pictures of 32 pixels."""
    return Bench(model, to_tensor([image.resize((32, 32)) for image in photographs]))


def test_defaults_are_of_the_methods_own_fields() -> None:
    for name, protection in PROTECTIONS.items():
        assert name == protection.name and set(protection.defaults) <= set(protection.fields.model_fields), name
    fields = {field for protection in PROTECTIONS.values() for field in protection.fields.model_fields}
    assert fields | {"method"} == set(ProtectSettings.model_fields)


@pytest.mark.parametrize("method", PROTECTIONS)
def test_it_lowers_its_objective_by_more_than_its_random_start_does(method: str, bench: Bench) -> None:
    settings, x = quick(method), bench.x
    result = bench.run(settings, seed=3)
    noise = (torch.rand(x.shape, generator=torch.Generator().manual_seed(3)) * 2 - 1) * (result - x).abs().max()
    before, after, noisy = bench.losses(settings, x, result, quantise(x + noise))
    assert after < before and after < noisy


@pytest.fixture(scope="module")
def narrow(shallow: DiffusionModel, photographs: list[Image.Image]) -> Bench:
    """The same on a narrow checkpoint with random weights and pictures of 32 pixels, for what any model must keep."""
    return Bench(shallow, to_tensor([image.resize((32, 32)) for image in photographs]))


@pytest.mark.parametrize("method", PROTECTIONS)
def test_the_budget_is_used_and_kept_in_8_bits_and_a_seed_means_the_same_again(method: str, narrow: Bench) -> None:
    few = {"steps": 3, "step_size": 8, **({"attack_steps": 2} if method == "aspl" else {})}
    settings = quick(method, **few) if PROTECTIONS[method].ball == "norm" else quick(method)
    result = narrow.run(settings, seed=3)
    budget = settings.cap if PROTECTIONS[method].ball == "lpips" else settings.budget
    change = ((result - narrow.x) * LEVELS_PER_UNIT).abs()
    assert torch.equal(quantise(result), result)
    assert 0.5 * budget < change.max() <= budget + 1e-3

    assert torch.equal(result, narrow.run(settings, seed=3))
    if settings.random_start or "repetitions" in ProtectSettings.fields_of[method]:
        assert not torch.equal(result, narrow.run(settings, seed=5))


@pytest.mark.parametrize("method", PROTECTIONS)
def test_nothing_changes_outside_the_mask(method: str, narrow: Bench) -> None:
    mask = torch.zeros_like(narrow.x[:, :1])
    mask[..., :20] = 1
    changed = (narrow.run(quick(method, steps=2), seed=3, mask=mask) != narrow.x).any(dim=1)
    assert changed[..., :20].float().mean() > 0.7 and not changed[..., 20:].any()


@pytest.mark.parametrize("method", PROTECTIONS)
def test_asked_to_stop_it_gives_what_it_has_after_the_step_under_way(method: str, narrow: Bench) -> None:
    settings, asked = quick(method), []
    *_, last = protect(
        narrow.x, settings, narrow.model.autoencoder, model=narrow.model, target=narrow.setup(settings).target,
        should_stop=lambda: len(asked) >= 1 or asked.append(1),
    )  # fmt: skip
    assert last.stopped and last.index == 2 and last.result is not None
    budget = settings.cap if PROTECTIONS[method].ball == "lpips" else settings.budget
    assert ((last.result - narrow.x) * LEVELS_PER_UNIT).abs().max() <= budget + 1e-3


@pytest.mark.parametrize("method", PROTECTIONS)
def test_every_term_of_an_objective_is_drawn(method: str, narrow: Bench) -> None:
    """A term that its file gives no curve for would be dropped from the page in silence."""
    with torch.no_grad():
        terms = set(objective_of(narrow.setup(quick(method)))(narrow.x))
    assert terms == set(PROTECTIONS[method].curves) <= SERIES["protect"]


@pytest.mark.parametrize(
    ("method", "kind"),
    [*(("photoguard-encoder", kind) for kind in ("consistency", "loss", "unrolled")), ("advdm", "loss"),
     ("glaze", "consistency")],
)  # fmt: skip
def test_every_adaptive_form_lowers_its_objective(method: str, kind: str, bench: Bench) -> None:
    settings = quick(method, adaptive=kind, steps=6, unrolled_steps=1)
    before, after = bench.losses(settings, bench.x, bench.run(settings, seed=3))
    assert after < before


def test_a_patch_has_no_bound_but_its_mask(bench: Bench) -> None:
    mask = torch.zeros_like(bench.x[:, :1])
    mask[..., 20:28, 20:28] = 1
    patch = quick("photoguard-encoder", budget=255, step_size=32, steps=12)
    result = bench.run(patch, mask=mask)
    change = ((result - bench.x) * LEVELS_PER_UNIT).abs()
    assert change.max() > 128 and not change[..., :20].any() and not change[..., :20, :].any()
    with pytest.raises(UserError, match="needs a mask"):
        bench.run(patch)
    within = bench.run(quick("photoguard-encoder", budget=16, steps=12), mask=mask)
    free, bound = bench.losses(patch, result, within)
    assert free < bound


def test_a_concept_is_painted_where_no_target_is_given(bench: Bench) -> None:
    settings = quick("nightshade", steps=2, concept="a photograph of a city")
    setup = bench.setup(settings)
    made = objective_of(Setup(bench.x, settings, setup.autoencoder, bench.model)).parts[0]
    other = objective_of(
        Setup(
            bench.x, settings.model_copy(update={"concept": "a pencil sketch of trees"}), setup.autoencoder, bench.model
        )
    ).parts[0]
    with torch.no_grad():
        own = setup.autoencoder.encode(bench.x)
    assert not torch.allclose(made.goal, own, atol=0.1) and not torch.allclose(made.goal, other.goal, atol=0.1)


def test_an_inpainting_checkpoint_has_no_denoiser_for_this(inpainting: DiffusionModel, batch: Tensor) -> None:
    with pytest.raises(UserError, match="ordinary Stable Diffusion"):
        run_to_end(protect(batch[:1], quick("sds-minus"), inpainting.autoencoder, model=inpainting))


def test_a_picture_of_any_size(model: DiffusionModel, batch: Tensor) -> None:
    odd = batch[:1, :, :44, :38]
    for method in ("advdm", "sds-minus", "aspl", "mist-fused"):
        result = run_to_end(protect(odd, quick(method, steps=1), model.autoencoder, model=model)).result
        assert result.shape == odd.shape and not torch.equal(result, odd)


def test_the_table_in_the_docs_is_made_from_the_settings() -> None:
    """After a change of a method: ``python docs/make_protections.py``."""
    make = runpy.run_path(str(ROOT / "docs/make_protections.py"))
    page = (ROOT / "docs/protections.md").read_text(encoding="utf-8")
    assert page.split(make["BEGIN"])[1].split(make["END"])[0] == make["table"]()
    assert all(f"| `{name}` |" in page for name in PROTECTIONS)
