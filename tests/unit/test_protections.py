"""Every protection, by the same promises."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import run_to_end, sum_terms
from impress_ui.methods.protect import objective_of, protect
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import LEVELS_PER_UNIT, quantise
from impress_ui.settings import ProtectSettings

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = {
    **{name: {"steps": 8, "step_size": 4.0} for name, method in PROTECTIONS.items() if method.ball == "norm"},
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
        """The objective with many noises, the same for every picture, and not those of a run."""
        if "repetitions" in ProtectSettings.fields_of[settings.method]:
            settings = settings.model_copy(update={"repetitions": 8})
        objective = objective_of(self.setup(settings, seed=1234))
        with torch.no_grad():
            return sum_terms(objective(torch.cat(pictures)), objective.weights).tolist()


@pytest.fixture(scope="module")
def bench(model: DiffusionModel, batch: Tensor) -> Bench:
    return Bench(model, batch)


def test_defaults_are_of_the_methods_own_fields() -> None:
    for name, protection in PROTECTIONS.items():
        assert name == protection.name and set(protection.defaults) <= set(protection.fields.model_fields), name
    fields = {field for protection in PROTECTIONS.values() for field in protection.fields.model_fields}
    assert fields | {"method"} == set(ProtectSettings.model_fields)


@pytest.mark.parametrize("method", PROTECTIONS)
def test_every_protection_keeps_its_promises(method: str, bench: Bench) -> None:
    settings, x = quick(method), bench.x
    mask = torch.zeros_like(x[:, :1])
    mask[..., :40] = 1
    result = bench.run(settings, seed=3, mask=mask)

    # It lowers its own objective, by more than its random start does.
    noise = (torch.rand(x.shape, generator=torch.Generator().manual_seed(3)) * 2 - 1) * (result - x).abs().max()
    before, after, noisy = bench.losses(settings, x, result, torch.where(mask.bool(), quantise(x + noise), x))
    assert after < before and after < noisy

    # In 8 bits it is within its budget, and the budget is used.
    budget = settings.cap if PROTECTIONS[method].ball == "lpips" else settings.budget
    change = ((result - x) * LEVELS_PER_UNIT).abs()
    assert torch.equal(quantise(result), result)
    assert 0.5 * budget < change.max() <= budget + 1e-3

    # Outside the mask nothing changes, inside nearly everything does.
    changed = (result != x).any(dim=1)
    assert changed[..., :40].float().mean() > 0.7 and not changed[..., 40:].any()

    # A seed means the same again, and another one something else; without randomness there is no other.
    short = settings.model_copy(update={"steps": 2})
    first = bench.run(short, seed=5)
    assert torch.equal(first, bench.run(short, seed=5))
    assert not torch.equal(first, bench.run(short, seed=6))

    # Asked to stop, it gives what it has after the step under way.
    asked = []
    *_, last = protect(
        x, settings, bench.model.autoencoder, model=bench.model, target=bench.setup(settings).target,
        should_stop=lambda: len(asked) >= 1 or asked.append(1),
    )  # fmt: skip
    assert last.stopped and last.index == 2 and last.result is not None
    assert ((last.result - x) * LEVELS_PER_UNIT).abs().max() <= budget + 1e-3


@pytest.mark.parametrize("method", ["photoguard-encoder", "advdm", "glaze"])
@pytest.mark.parametrize("kind", ["consistency", "loss", "unrolled"])
def test_every_adaptive_form_lowers_its_objective(method: str, kind: str, bench: Bench) -> None:
    settings = quick(method, adaptive=kind, steps=6, unrolled_steps=1)
    before, after = bench.losses(settings, bench.x, bench.run(settings, seed=3))
    assert after < before


def test_a_patch_has_no_bound_but_its_mask(bench: Bench) -> None:
    mask = torch.zeros_like(bench.x[:, :1])
    mask[..., 44:60, 44:60] = 1
    patch = quick("photoguard-encoder", budget=255, step_size=32, steps=12)
    result = bench.run(patch, mask=mask)
    change = ((result - bench.x) * LEVELS_PER_UNIT).abs()
    assert change.max() > 128 and not change[..., :44].any() and not change[..., :44, :].any()
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
    odd = batch[:1, :, :52, :38]
    for method in ("advdm", "sds-minus", "aspl", "mist-fused"):
        result = run_to_end(protect(odd, quick(method, steps=2), model.autoencoder, model=model)).result
        assert result.shape == odd.shape and not torch.equal(result, odd)


def test_the_table_in_the_docs_is_made_from_the_settings() -> None:
    """After a change of a method: ``python docs/make_protections.py``."""
    make = runpy.run_path(str(ROOT / "docs/make_protections.py"))
    page = (ROOT / "docs/protections.md").read_text(encoding="utf-8")
    assert page.split(make["BEGIN"])[1].split(make["END"])[0] == make["table"]()
    assert all(f"| `{name}` |" in page for name in PROTECTIONS)
