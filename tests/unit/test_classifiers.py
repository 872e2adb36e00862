"""The CLIP classifier: its arithmetic against open_clip's own, its accuracy, and the sentences for bad input."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from typer.testing import CliRunner

from impress_ui.__main__ import app
from impress_ui.errors import UserError
from impress_ui.measures.classifiers.clip import ClipClassifier, load_clip_classifier
from impress_ui.measures.classifiers.common import CLASSES, accuracy, ranking
from impress_ui.measures.classifiers.renderings import Rendering, held_out
from impress_ui.paths import MICRO_CLIP
from impress_ui.settings import PAPER_CLASSES, ClassifySettings, sentence_of


@pytest.fixture(scope="module")
def classifier() -> ClipClassifier:
    return load_clip_classifier(ClassifySettings())


@pytest.fixture(scope="module")
def renderings() -> list[Rendering]:
    return held_out("test", 3)


def test_the_embedded_clip_is_small_and_open_clip_loads_it() -> None:
    assert sum(path.stat().st_size for path in MICRO_CLIP.iterdir()) < 20e6
    assert {path.suffix for path in MICRO_CLIP.iterdir() if path.name != "SHA256SUMS"} == {".json", ".safetensors"}
    model, _ = open_clip.create_model_from_pretrained(f"local-dir:{MICRO_CLIP}")
    assert isinstance(model, open_clip.CLIP)


def test_clean_renderings_are_recognised(classifier: ClipClassifier, renderings: list[Rendering]) -> None:
    scores = classifier.scores([made.image for made in renderings])
    right = accuracy(scores, classifier.classes, [made.manner for made in renderings])
    assert right.n == 3 * len(CLASSES) and right.value >= 0.97


def test_scores_are_the_softmax_of_scaled_cosines(classifier: ClipClassifier, renderings: list[Rendering]) -> None:
    """By hand from open_clip's own pieces, a class, a sentence and a picture at a time."""
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{MICRO_CLIP}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{MICRO_CLIP}")
    model.eval()
    images = [made.image for made in renderings[:4]]
    with torch.no_grad():
        texts, forms = [], ClassifySettings().templates
        for name in CLASSES:
            each = [model.encode_text(tokenizer([form.replace("{}", name)]))[0] for form in forms]
            mean = torch.stack([vector / vector.norm() for vector in each]).mean(0)
            texts.append(mean / mean.norm())
        wanted = []
        for image in images:
            vector = model.encode_image(preprocess(image)[None])[0]
            logits = torch.stack([torch.dot(vector, text) for text in texts]) / vector.norm() * model.logit_scale.exp()
            wanted.append(logits.exp() / logits.exp().sum())
    scores = classifier.scores(images)
    assert torch.allclose(scores, torch.stack(wanted), atol=1e-5)
    assert torch.allclose(scores.sum(1), torch.ones(4), atol=1e-5)


def test_fewer_classes_share_the_probability(renderings: list[Rendering]) -> None:
    few = ClipClassifier(ClassifySettings(classes=("Cobalt", "mosaic")))
    cobalt = next(made.image for made in renderings if made.manner == "Cobalt")
    assert few.scores([cobalt]).shape == (1, 2) and few.scores([cobalt])[0, 0] > 0.9
    assert few.scores([]).shape == (0, 2)


def test_any_size_and_mode_of_picture_is_judged(classifier: ClipClassifier) -> None:
    scores = classifier.scores([Image.new("L", (40, 300)), Image.new("RGBA", (513, 40))])
    assert scores.shape == (2, len(CLASSES)) and torch.isfinite(scores).all()


SCORES = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.3, 0.4, 0.3], [0.6, 0.3, 0.1]])


def test_accuracy_and_its_standard_error() -> None:
    first = accuracy(SCORES, "abc", "a")
    assert first.value == 0.5 and first.n == 4
    assert math.isclose(first.standard_error, math.sqrt(0.5 * 0.5 / 4))
    assert accuracy(SCORES, "abc", ["a", "c", "b", "a"]).value == 1
    assert accuracy(SCORES, "abc", "b", top_k=2).value == 1
    # A sample of draws has the deviation that the formula says.
    draws = np.random.default_rng(0).binomial(4, 0.5, 20000) / 4
    assert abs(draws.std() - first.standard_error) < 0.01


def test_a_ranking_is_in_order() -> None:
    verdict = ranking(SCORES, "abc", 2)[1]
    assert verdict.best == "c" and [name for name, _ in verdict.ranking] == ["c", "b"]
    assert verdict.names("b") and not verdict.names("a")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"classes": ("mosaic",)}, "there is only mosaic; name at least two"),
        ({"classes": ("a", "b"), "top_k": 2}, "choose a top-k below 2"),
        ({"classes": ("a", "b", "a")}, "The class a is in the list twice"),
        ({"classes": ("a", " ")}, "A class has no name"),
        ({"model": "ViT-Z"}, "There is no classifier ViT-Z; use micro-clip, ViT-B-32, or"),
        ({"model": "ViT-B-32:none.safetensors"}, "There is no file none.safetensors"),
    ],
)
def test_settings_that_decide_nothing_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        ClipClassifier(ClassifySettings(**settings))


def test_a_truth_that_is_no_class_is_refused() -> None:
    with pytest.raises(UserError, match="The true class d is not among the classes: a, b, c"):
        accuracy(SCORES, "abc", "d")


def test_a_template_must_name_the_class() -> None:
    for template in ("a picture", "{} and {}", "{name}", "{0} {}"):
        with pytest.raises(ValidationError) as caught:
            ClassifySettings(templates=(template,))
        assert "must hold {} once" in sentence_of(caught.value)


def test_openai_weights_that_are_not_at_hand_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(UserError, match="neither in the hub's cache nor to be had") as caught:
        ClipClassifier(ClassifySettings(preset="paper"))
    assert "\n" not in str(caught.value)


def test_openai_weights_come_as_safetensors_from_the_hubs_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def cached(repo: str, allow_patterns: list[str], local_files_only: bool) -> str:
        asked.append((repo, *allow_patterns, local_files_only))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", cached)
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"not really")
    with pytest.raises(UserError, match="ViT-B-32 cannot be loaded"):
        ClipClassifier(ClassifySettings(model="ViT-B-32"))
    assert asked == [("timm/vit_base_patch32_clip_224.openai", "open_clip_model.safetensors", True)]


def test_a_folder_without_weights_and_damaged_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no open_clip_config.json"):
        ClipClassifier(ClassifySettings(model=str(tmp_path)))
    (tmp_path / "open_clip_config.json").write_bytes((MICRO_CLIP / "open_clip_config.json").read_bytes())
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be loaded"):
        ClipClassifier(ClassifySettings(model=str(tmp_path)))


def test_the_papers_preset() -> None:
    settings = ClassifySettings(preset="paper")
    assert len(settings.classes) == len(set(PAPER_CLASSES)) == 39 and settings.templates == ("{}",)
    assert settings.top_k == 3 and settings.model == "ViT-B-32"
    assert ClassifySettings(preset="paper", model="micro-clip").model == "micro-clip"


def test_the_papers_classifier_runs_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's architecture, of one layer and with random weights, from a safetensors file."""
    from open_clip.factory import _MODEL_CONFIGS
    from safetensors.torch import save_file

    whole = _MODEL_CONFIGS["ViT-B-32"]
    one = {f"{part}_cfg": {**whole[f"{part}_cfg"], "layers": 1} for part in ("vision", "text")}
    monkeypatch.setitem(_MODEL_CONFIGS, "ViT-B-32", {**whole, **one})
    model = open_clip.create_model("ViT-B-32", force_quick_gelu=True)
    save_file({name: value.half() for name, value in model.state_dict().items()}, tmp_path / "vit.safetensors")
    judge = ClipClassifier(ClassifySettings(preset="paper", model=f"ViT-B-32:{tmp_path / 'vit.safetensors'}"))
    assert judge.scores([Image.new("RGB", (64, 64))]).shape == (1, 39)


def test_the_command_line_prints_one_object(tmp_path: Path, renderings: list[Rendering]) -> None:
    for number, made in enumerate([made for made in renderings if made.manner == "Cinnabar"]):
        made.image.save(tmp_path / f"{number}.png")
    done = CliRunner().invoke(app, ["classify", str(tmp_path), "--truth", "Cinnabar", "--json", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["accuracy"]["value"] == 1 and report["accuracy"]["n"] == 3
    assert report["results"][0]["ranking"][0]["class"] == "Cinnabar" and report["results"][0]["right"]
    done = CliRunner().invoke(app, ["classify", str(tmp_path / "0.png"), "--classes", "mosaic, Cinnabar"])
    assert done.exit_code == 0 and "Cinnabar" in done.stdout


def test_the_command_line_names_a_wrong_truth(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    done = CliRunner().invoke(app, ["classify", str(tmp_path / "a.png"), "--truth", "Nobody"])
    assert isinstance(done.exception, UserError) and "The true class Nobody" in str(done.exception)


def test_the_command_line_has_the_diffusion_classifier(tmp_path: Path, renderings: list[Rendering]) -> None:
    for number, made in enumerate([made for made in renderings if made.manner == "Cinnabar"][:2]):
        made.image.resize((64, 64)).save(tmp_path / f"{number}.png")
    done = CliRunner().invoke(
        app, ["classify", str(tmp_path), "--method", "diffusion", "--truth", "Cinnabar", "--json", "--device", "cpu",
              "--classes", "Cinnabar,Cobalt", "--stages", "[[2, 1], [1, 2]]"]
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["accuracy"]["value"] == sum(row["right"] for row in report["results"]) / 2
    assert report["checkpoint"] == "embedded"
    assert "2 pictures, 2 classes: 4 passes" in done.stderr and "score" in report["results"][0]["ranking"][0]
