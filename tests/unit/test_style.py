from __future__ import annotations

import functools
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from impress_ui.art.artists import works
from impress_ui.errors import UserError
from impress_ui.jobs.style import StyleStudy, Variant
from impress_ui.measures.classifiers.clip import load_clip_classifier
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.settings import ClassifySettings, JobSettings, ProtectSettings, PurifySettings
from impress_ui.settings.recipes import STYLE_GLAZE

QUICK = JobSettings().updated(
    run={"device": "cpu"},
    protect={"method": "glaze", "steps": 2, "style": "mosaic", "style_strength": 0.2},
    purify={"steps": 1},
    mimic={"works": 4, "imitations": 2, "steps": 2, "batch": 1, "rank": 2, "adapted": "attention",
           "preview_every": 0, "guidance": 1},
    generate={"sampling_steps": 1},
)  # fmt: skip


def new_study(job: JobSettings = QUICK) -> StyleStudy:
    made = works("Cobalt", "train", side=32, count=4)
    return StyleStudy(
        made, ["the sea by Cobalt", "a city by Cobalt"], "Cobalt", job, judge=load_clip_classifier(ClassifySettings())
    )


@pytest.fixture
def narrow(shallow_folder: Path) -> JobSettings:
    """The same settings with a narrow checkpoint, of which a study asks as much."""
    return QUICK.updated(run={"checkpoint": str(shallow_folder)})


def test_a_study_runs_to_its_figures_and_a_stop_anywhere_changes_nothing(narrow: JobSettings) -> None:
    whole = new_study(narrow)
    steps = list(whole.run())
    assert whole.finished and whole.style == "mosaic"
    assert list(dict.fromkeys(step.phase for step in steps)) == [
        "target", "protect", "fine-tune", "generate", "judge", "purify",
    ]  # fmt: skip
    assert all(step.stages == 12 and 0 <= step.index <= step.steps for step in steps)
    assert {name: len(made) for name, made in whole.galleries.items()} == {"clean": 2, "protected": 2, "purified": 2}
    assert {len(curve) for curve in whole.curves.values()} == {2}
    assert whole.sets["clean"] == whole.images
    assert len({tuple(image.tobytes() for image in made) for made in whole.sets.values()}) == 3
    broken, rounds = new_study(narrow), 0
    while not broken.finished:
        rounds += 1
        count = iter(range(100))
        list(broken.run(should_stop=lambda count=count: next(count) >= 4))
        assert rounds < 60
    assert rounds > 3
    for name in whole.variants:
        assert torch.equal(broken.scores[name], whole.scores[name]), name
        assert broken.curves[name] == whole.curves[name]


def test_a_purifier_that_cannot_run_is_refused_before_the_study_begins(model: DiffusionModel) -> None:
    study = new_study()
    study.variants["purified"] = Variant(protected=True, purify=PurifySettings(method="noisy-upscaling"))
    with pytest.raises(UserError, match="needs an upscaler"):
        next(study.run())
    assert not study.targets and not study.protected


def test_works_are_protected_by_the_strong_form_unless_another_is_named() -> None:
    from impress_ui.experiments.settings import StyleSettings

    assert StyleSettings().protect == ProtectSettings(**STYLE_GLAZE)
    assert StyleSettings(protect={"cap": 16}).protect == ProtectSettings(**{**STYLE_GLAZE, "cap": 16})
    assert StyleSettings(protect={"method": "photoguard-encoder"}).protect == ProtectSettings()


def test_the_experiment_prints_every_row_and_goes_on_where_it_was_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, narrow: JobSettings
) -> None:
    from impress_ui.experiments.settings import StyleSettings
    from impress_ui.experiments.table import run_experiment

    module = import_module("impress_ui.experiments.style")
    few = ClassifySettings(method="diffusion", classes=("Cobalt", "mosaic"), stages=((1, 1),))
    monkeypatch.setattr(module, "works", functools.partial(works, side=32))
    monkeypatch.setattr(module, "JURY", few)
    logged: list[str] = []
    purifiers = ("jpeg 15", "non-local-means 0.05, then jpeg 40")
    own = {"artists": 1, "purifiers": purifiers, "shares": (0.25,), "clean_colours": True}
    settings = StyleSettings.model_validate({**narrow.model_dump(exclude_unset=True), **own})
    report = run_experiment("style", settings, tmp_path, logged.append)
    assert [row["works"] for row in report["rows"]] == [
        "clean", "clean, non-local-means 0.05, then jpeg 40", "GLAZE", "GLAZE, jpeg 15",
        "GLAZE, non-local-means 0.05, then jpeg 40", "GLAZE, 25% of the change",
        "GLAZE, non-local-means 0.05, then jpeg 40, clean colours",
    ]  # fmt: skip
    assert all(row[f"{kind}_accuracy"] in (0, 0.5, 1) for row in report["rows"] for kind in ("clip", "diffusion"))
    assert report["rows"][0]["clip_accuracy_se"] is None  # of one artist nothing is known of others
    assert report["rows"][0]["works_lpips"] < 1e-6 < report["rows"][2]["works_lpips"]
    clean, protected, quarter = (report["rows"][number] for number in (0, 2, 5))
    assert (clean["works_latent"], clean["works_colour"], clean["works_texture"]) == (0, 0, 1)
    assert report["rows"][6]["works_colour"] < report["rows"][4]["works_colour"] / 2
    assert 0 < quarter["works_latent"] < protected["works_latent"] and quarter["works_lpips"] < protected["works_lpips"]
    assert (tmp_path / "style_works.png").stat().st_size > 1000 and (tmp_path / "style.csv").is_file()
    assert logged
    logged.clear()
    assert run_experiment("style", settings, tmp_path, logged.append)["rows"] == report["rows"]
    assert logged == ["7 of 7 units are done already"]
    # A row that was lost is learnt from the same protected works again.
    (lost,) = (file for file in (tmp_path / "style/units").iterdir() if "jpeg-15" in file.name)
    lost.unlink()
    logged.clear()
    assert run_experiment("style", settings, tmp_path, logged.append)["rows"] == report["rows"]
    assert logged[0] == "6 of 7 units are done already" and not any("protect" in line for line in logged)


def test_more_than_a_hundred_works_come_back_in_their_order(tmp_path: Path) -> None:
    from impress_ui.experiments.experiment import Run
    from impress_ui.experiments.folder import RunFolder
    from impress_ui.experiments.settings import StyleSettings

    module = import_module("impress_ui.experiments.style")
    run = Run(StyleSettings(), RunFolder(tmp_path, {}), str)
    pictures = [Image.new("RGB", (1, 1), (number, 0, 0)) for number in range(102)]
    study = SimpleNamespace(artist="a", job=JobSettings(), sets={"clean": pictures}, galleries={"clean": []})
    module._keep(run, study, "clean")
    kept = module._pictures(run, "a", "clean", "works")
    assert [picture.getpixel((0, 0))[0] for picture in kept] == list(range(102))
