"""The recipe ``careful``: a radius for each picture by what is found in it, and none where that is nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods import trust
from impress_ui.methods.optimise import Step, run_to_end
from impress_ui.methods.protect import protect
from impress_ui.methods.purify import purify
from impress_ui.methods.trust import NOTHING_FOUND, ROOM, budget_found
from impress_ui.methods.whole import over_tiles
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.pictures.images import LEVELS_PER_UNIT, to_tensor
from impress_ui.pictures.photographs import square
from impress_ui.settings import ProtectSettings, PurifySettings, purifier_of, words_of
from tests.unit.test_cli import run_json

FEW = PurifySettings(recipe="careful", steps=3)


@pytest.fixture(scope="module")
def clean() -> Tensor:
    return to_tensor([square(name, "test", 48) for name in ("beach2", "city8")])


@pytest.fixture(scope="module")
def protected(embedded: Autoencoder, clean: Tensor) -> dict[int, Tensor]:
    """The pictures at each budget."""
    made = {budget: ProtectSettings(budget=budget, steps=15) for budget in (4, 8, 16)}
    return {budget: run_to_end(protect(clean, how, embedded)).result for budget, how in made.items()}


def purified(x: Tensor, embedded: Autoencoder, settings: PurifySettings = FEW, **more: Tensor) -> Step:
    return run_to_end(purify(x, settings, embedded, **more))


def test_a_clean_picture_is_left_as_it_is_and_that_is_told(embedded: Autoencoder, clean: Tensor) -> None:
    (step,) = purify(clean, FEW, embedded)
    assert torch.equal(step.result, clean) and step.note == NOTHING_FOUND and not step.stopped
    (*_, last) = purify(clean, PurifySettings(method="chain", chain=("careful", "blur 1")), embedded)
    assert last.note == f"careful: {NOTHING_FOUND}" and not torch.equal(last.result, clean)


def test_the_radius_grows_with_the_budget_and_is_near_it(clean: Tensor, protected: dict[int, Tensor]) -> None:
    found = torch.stack([budget_found(clean), *(budget_found(x) for x in protected.values())])
    assert not found[0].any() and (found.diff(dim=0) >= 0).all()
    for budget, each in list(zip(protected, found[1:], strict=True))[1:]:  # a weak attack at 4 is not always found
        assert ((each / budget - 1).abs() < 0.4).all(), budget


def test_no_pixel_goes_beyond_what_is_found_nor_beyond_the_trust_radius(
    embedded: Autoencoder, protected: dict[int, Tensor]
) -> None:
    x = protected[16]
    for most in (24, 9):
        change = (purified(x, embedded, FEW.model_copy(update={"trust_radius": most})).result - x).abs()
        allowed = (ROOM * budget_found(x)).clamp(max=most) + 0.5  # of a level: the result is rounded to 8 bits
        assert (LEVELS_PER_UNIT * change.amax(dim=(1, 2, 3)) <= allowed + 1e-3).all()
        assert change.any()


def test_each_picture_of_a_batch_has_its_own_radius(
    embedded: Autoencoder, clean: Tensor, protected: dict[int, Tensor]
) -> None:
    x = torch.cat([clean[:1], protected[4][1:], protected[16][:1]])
    together = purified(x, embedded)
    alone = torch.cat([purified(one[None], embedded).result for one in x])
    assert torch.equal(together.result[0], clean[0]) and not together.note
    assert (LEVELS_PER_UNIT * (together.result - alone).abs()).max() <= 1 + 1e-3  # sums of a batch run in another order
    assert torch.equal(together.result, purified(x, embedded).result)


def test_only_the_mask_is_looked_at_and_changed(
    embedded: Autoencoder, clean: Tensor, protected: dict[int, Tensor]
) -> None:
    mask = torch.zeros(1, 1, 48, 48)
    mask[..., :24] = 1
    x = torch.where(mask.bool(), protected[16], clean)
    result = purified(x, embedded, mask=mask).result
    assert torch.equal(result[..., 24:], x[..., 24:]) and not torch.equal(result, x)
    other = purified(x, embedded, mask=1 - mask)
    assert torch.equal(other.result, x) and other.note == NOTHING_FOUND
    assert budget_found(x, torch.zeros_like(mask)).tolist() == [0, 0]


def test_tiles_say_in_how_many_nothing_was_found(embedded: Autoencoder, clean: Tensor) -> None:
    steps = over_tiles(clean[:1], lambda piece, _: purify(piece, FEW, embedded), 36, lambda x: x, each=3)
    last = run_to_end(steps)
    assert last.note == f"In 4 of 4 tiles: {NOTHING_FOUND}" and torch.allclose(last.result, clean[:1])


def test_the_command_line_says_that_nothing_was_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = square("beach2", "test", 64)
    picture.save(tmp_path / "clean.png")
    report = run_json(capsys, "purify", tmp_path / "clean.png", "-o", tmp_path / "same.png", "--recipe", "careful")
    assert report["notes"] == [NOTHING_FOUND] and report["measures"]["against_original"]["linf"] == 0
    with Image.open(tmp_path / "same.png") as image:
        assert image.convert("RGB").tobytes() == picture.tobytes()


def test_it_is_a_recipe_like_others_and_older_settings_have_none_of_it() -> None:
    assert words_of(purifier_of("careful")) == "careful"
    assert purifier_of("fast radius_from_found=true").radius_from_found
    older = PurifySettings().model_dump(mode="json")
    older.pop("radius_from_found")
    assert PurifySettings.model_validate(json.loads(json.dumps(older))) == PurifySettings()
    assert not any(PurifySettings(recipe=name).radius_from_found for name in ("fast", "fast-style", "paper"))


def test_without_the_weights_it_says_so(
    embedded: Autoencoder, clean: Tensor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(trust, "PURIFIER", tmp_path / "gone.safetensors")
    with pytest.raises(UserError, match=r"no file of a purifier's weights"):
        purified(clean, embedded)


def test_the_share_is_the_learned_purifiers(embedded: Autoencoder, protected: dict[int, Tensor]) -> None:
    x = protected[16][:1]
    learned = purified(x, embedded, PurifySettings(method="learned")).result
    without = {"recipe": "careful", "steps": 1, "radius_from_found": False, "trust_radius": 0}
    assert torch.equal(purified(x, embedded, PurifySettings(**without, learned_share=1)).result, learned)
    own = purified(x, embedded, PurifySettings(**without, learned_share=0)).result
    half = purified(x, embedded, PurifySettings(**without, learned_share=0.5)).result
    assert (LEVELS_PER_UNIT * (half - (own + learned) / 2)).abs().max() <= 1 + 1e-3
