"""The hardened encoder: it sees through an attack, and stands in the other's place where it is asked for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.edit import edit
from impress_ui.methods.optimise import run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.models.hardened import difference, harden, with_difference
from impress_ui.paths import ASSETS
from impress_ui.pictures.images import to_images
from impress_ui.settings import EditSettings, ProtectSettings, PurifySettings, RunSettings
from tests.unit.test_lasting import moved


def test_what_was_learnt_comes_back_within_half_a_step_and_the_decoder_is_not_kept() -> None:
    noise = torch.Generator().manual_seed(0)
    shapes = {"a.weight": (4, 3, 3, 3), "a.bias": (4,), "decoder.b.weight": (2, 2)}
    embedded = {name: torch.randn(shape, generator=noise) for name, shape in shapes.items()}
    trained = {name: value + 0.1 * torch.randn(value.shape, generator=noise) for name, value in embedded.items()}
    kept = difference(trained, embedded)
    assert not any(name.startswith("decoder.") for name in kept) and kept["a.weight"].dtype == torch.int8
    again = with_difference(embedded, kept)
    assert torch.equal(again["decoder.b.weight"], embedded["decoder.b.weight"])
    for name in ("a.weight", "a.bias"):
        step = (trained[name] - embedded[name]).abs().flatten(1 if "weight" in name else 0).amax(dim=-1) / 127
        error = (again[name] - trained[name]).abs().flatten(1 if "weight" in name else 0).amax(dim=-1)
        assert (error <= 0.51 * step).all()
    same = with_difference(embedded, difference(embedded, embedded))
    assert all(torch.equal(same[name], embedded[name]) for name in embedded)


def test_it_sees_less_of_an_attack_and_the_embedded_one_stays_as_it_was(batch: Tensor, embedded: Autoencoder) -> None:
    before = embedded.encode(batch)
    hardened = harden(embedded)
    attacked = run_to_end(protect(batch, ProtectSettings(steps=16), embedded, seed=1)).result
    length = before.flatten(1).norm(dim=1)
    clean = (hardened.encode(batch) - before).flatten(1).norm(dim=1) / length
    left = (hardened.encode(attacked) - before).flatten(1).norm(dim=1) / length
    assert torch.equal(embedded.encode(batch), before) and harden(embedded) is hardened
    assert clean.mean() < 0.2
    assert (left < 0.75 * moved(attacked, batch, embedded)).all()


def test_as_a_purifier_it_is_the_round_trip_through_it(batch: Tensor, embedded: Autoencoder) -> None:
    made = run_to_end(purify(batch, PurifySettings(method="hardened", hardened_trips=2), embedded)).result
    with torch.no_grad():
        once = harden(embedded).reconstruct(batch).clamp(-1, 1)
        twice = harden(embedded).reconstruct(once).clamp(-1, 1)
    assert (made - twice).abs().max() <= 1.01 / 255  # rounded to 8 bits


def test_an_edit_reads_its_picture_with_it(batch: Tensor, model: DiffusionModel) -> None:
    images = to_images(batch[:1, :, :32, :32])
    settings = EditSettings(prompt="a mosaic", sampling_steps=2, strength=0.5, guidance=1)

    def made(changed: EditSettings, by: DiffusionModel) -> Tensor:
        (*_, last) = edit(images, changed, by, seed=0)
        return last.results[0].tobytes()

    hardened = made(settings.model_copy(update={"hardened": True}), model)
    assert hardened != made(settings, model)
    assert hardened == made(settings, model.with_autoencoder(harden(model.autoencoder)))


def test_another_checkpoint_is_refused_before_anything_is_computed(batch: Tensor) -> None:
    other = load_autoencoder(RunSettings(checkpoint=str(ASSETS / "autoencoders" / "narrow"), device="cpu"))
    with pytest.raises(UserError, match="trained for the embedded checkpoint; narrow"):
        harden(other)
    with pytest.raises(UserError, match="trained for the embedded checkpoint"):
        next(purify(batch, PurifySettings(method="chain", chain="fast, then hardened"), other))


def test_the_embedded_checkpoint_s_weights_are_known_by_whatever_path_they_were_named(embedded: Autoencoder) -> None:
    named = load_autoencoder(RunSettings(checkpoint=str(ASSETS / "micro-ldm"), device="cpu"))
    assert (named.name, embedded.name) == ("micro-ldm", "embedded")
    assert harden(named).name == "micro-ldm, hardened" and harden(load_autoencoder(RunSettings(device="cpu"))).embedded
