from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from impress_ui.methods.impress import RECIPES
from impress_ui.settings import (
    JobSettings,
    ProtectSettings,
    PurifySettings,
    RunSettings,
    StressSettings,
    purifier_of,
    sentence_of,
    words_of,
)
from impress_ui.settings.purify import parts_of


def test_a_recipe_fills_only_what_is_not_given() -> None:
    assert PurifySettings(recipe="paper").steps == 3000
    assert PurifySettings(recipe="paper").adam_eps == 1e-5
    assert PurifySettings(recipe="paper", steps=7).steps == 7
    assert PurifySettings(recipe="paper", steps=7).learning_rate == 0.01


def test_published_presets_are_the_published_numbers() -> None:
    style, editing = PurifySettings(recipe="paper"), PurifySettings(recipe="paper-editing")
    assert (style.alpha, style.delta, style.learning_rate, style.steps, style.start_noise) == (
        0.1,
        0.1,
        0.01,
        3000,
        0.1,
    )
    assert (editing.alpha, editing.delta, editing.learning_rate, editing.steps, editing.start_noise) == (
        0.01, 0.1, 0.005, 1000, 0.05,
    )  # fmt: skip
    for published in (style, editing):
        assert (published.consistency_weight, published.fidelity_weight, published.smoothness) == (1, 0, 0)
        assert published.variable == "pixels" and published.start == "protected" and not published.keep_best


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_name_only_known_settings(recipe: str) -> None:
    assert set(RECIPES[recipe]) <= set(PurifySettings.model_fields)
    PurifySettings(recipe=recipe)


@pytest.mark.parametrize("model", [RunSettings, ProtectSettings, PurifySettings])
def test_every_setting_is_described_and_every_number_is_bounded(model: type) -> None:
    for name, field in model.model_fields.items():
        about = model.describe(name)
        assert len(about["help"]) > 10, name
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            assert about["minimum"] <= field.default <= about["maximum"], name


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"alpha": math.nan}, "alpha"),
        ({"alpha": math.inf}, "alpha"),
        ({"alpha": -1}, "alpha"),
        ({"steps": 10**9}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"recipe": "secret"}, "recipe"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_values_are_refused_in_one_sentence(values: dict, named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PurifySettings(**values)
    sentence = sentence_of(caught.value)
    assert named in sentence and "\n" not in sentence and sentence.endswith(".")


def test_job_settings_survive_json() -> None:
    job = JobSettings().updated(purify={"recipe": "paper-editing", "alpha": 0.7}, run={"size": 128, "seed": 3})
    assert JobSettings.model_validate_json(job.model_dump_json()) == job


def test_an_update_keeps_other_sections_and_a_new_recipe_brings_its_defaults() -> None:
    job = JobSettings().updated(protect={"budget": 8}, purify={"steps": 3})
    changed = job.updated(purify={"recipe": "paper"})
    assert changed.protect.budget == 8
    assert changed.purify.steps == 3000
    assert changed.updated(purify={"alpha": 0.5}).purify.steps == 3000


def test_a_new_method_brings_its_steps_and_leaves_the_rest() -> None:
    job = JobSettings().updated(protect={"method": "glaze", "budget": 8})
    assert job.protect.steps == 500
    back = job.updated(protect={"method": "photoguard-encoder"})
    assert back.protect.steps == ProtectSettings().steps and back.protect.budget == 8
    # What the new method has a value of its own for is the new method's.
    assert job.updated(protect={"method": "aspl"}).protect.budget == ProtectSettings(method="aspl").budget == 6
    # Naming the choice that stands anyway takes nothing away.
    assert job.updated(protect={"steps": 7}).updated(protect={"method": "glaze"}).protect.steps == 7


@pytest.mark.parametrize(
    "path", ["/tmp/my+then, x/mine.safetensors", "/then/a", "a, then b", "a=b/c", "o'brien/it's", 'the "one"', "a\\b c"]
)
def test_a_path_may_hold_what_parts_purifiers(path: str) -> None:
    mine = PurifySettings(method="learned", learned_weights=path)
    assert purifier_of(words_of(mine)) == mine
    chain = PurifySettings(method="chain", chain=[words_of(mine), "fast"])
    assert parts_of(chain) == [mine, PurifySettings()] == parts_of(purifier_of(words_of(chain)))
    assert PurifySettings(method="chain", chain=words_of(chain)) == chain
    listed = StressSettings(purifiers=f"jpeg 40, {words_of(chain)}, fast").purifiers
    assert listed == ("jpeg 40", words_of(chain), "fast")


def test_a_path_in_double_quotes_is_one_word() -> None:
    given = ['learned learned_weights="/tmp/my+then, x/mine.safetensors"', "fast"]
    mine, fast = parts_of(PurifySettings(method="chain", chain=given))
    assert mine.learned_weights == "/tmp/my+then, x/mine.safetensors" and fast == PurifySettings()
