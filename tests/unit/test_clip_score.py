from __future__ import annotations

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from impress_ui.art.artists import artist_of
from impress_ui.art.painting import STYLES
from impress_ui.jobs.workflow import edit_measures
from impress_ui.measures import clip_score as module
from impress_ui.measures.classifiers.clip import ClipClassifier
from impress_ui.measures.clip_score import clip_score, clip_similarity, judge_for
from impress_ui.paths import MICRO_CLIP
from impress_ui.pictures.photographs import squares
from impress_ui.settings import EMBEDDED, JobSettings


@pytest.fixture(scope="module")
def judge() -> ClipClassifier:
    found = judge_for(EMBEDDED)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def pictures() -> dict[str, Image.Image]:
    """A held-out photograph, and renderings of it."""
    photograph = squares("test", 128, 1)[0]
    x = np.asarray(photograph, dtype=np.float64) / 255
    painters = {name: STYLES[name] for name in ("mosaic", "woodcut")} | {"Cobalt": artist_of("Cobalt").painter}
    made = {name: paint(x, np.random.default_rng(0)) for name, paint in painters.items()}
    return {"photograph": photograph} | {
        name: Image.fromarray((y * 255).round().clip(0, 255).astype(np.uint8)) for name, y in made.items()
    }


def test_the_score_is_a_hundred_cosines_of_what_open_clip_says(judge: ClipClassifier, pictures: dict) -> None:
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{MICRO_CLIP}")
    tokens = open_clip.get_tokenizer(f"local-dir:{MICRO_CLIP}")(["a mosaic of the sea"])
    with torch.no_grad():
        text = model.eval().encode_text(tokens)[0]
        image = model.encode_image(preprocess(pictures["mosaic"])[None])[0]
    cosine = (torch.dot(text, image) / (text.norm() * image.norm())).item()
    score = clip_score(judge.features([pictures["mosaic"]]), "a mosaic of the sea", judge).item()
    assert score == pytest.approx(100 * cosine, abs=0.01)


@pytest.mark.parametrize("style", ["mosaic", "woodcut", "Cobalt"])
def test_a_picture_fits_its_own_style_best(judge: ClipClassifier, pictures: dict, style: str) -> None:
    scores = dict(
        zip(
            pictures,
            clip_score(judge.features(list(pictures.values())), f"a {style} of the sea", judge).tolist(),
            strict=True,
        )
    )
    assert max(scores, key=lambda name: scores[name]) == style
    assert min(scores.values()) >= 0


def test_similarity_is_one_for_the_picture_itself(judge: ClipClassifier, pictures: dict) -> None:
    features = judge.features([pictures["mosaic"], pictures["woodcut"]])
    alike = clip_similarity(features, features[0])
    assert alike[0].item() == pytest.approx(1) and alike[1] < 0.9


def test_edits_carry_both_with_the_clean_edits_own_beside_it(judge: ClipClassifier, pictures: dict) -> None:
    job = JobSettings().updated(edit={"prompt": "a mosaic of the sea"})
    measures = edit_measures({"original": pictures["mosaic"], "protected": pictures["woodcut"]}, "original", job)
    assert list(measures) == ["protected"]
    found = measures["protected"]
    mosaic, woodcut = clip_score(
        judge.features([pictures["mosaic"], pictures["woodcut"]]), job.edit.prompt, judge
    ).tolist()
    assert (found["clip_score"], found["clip_score_of_reference"]) == pytest.approx((woodcut, mosaic))
    unasked = job.updated(edit={"prompt": ""})
    found_then = edit_measures({"a": pictures["mosaic"], "b": pictures["woodcut"]}, "a", unasked)["b"]
    assert found_then["clip_score"] is None and found_then["clip_similarity"] == pytest.approx(found["clip_similarity"])


def test_another_checkpoint_is_judged_by_a_real_clip_or_not_at_all(judge, pictures: dict, monkeypatch) -> None:
    edits = {"a": pictures["mosaic"], "b": pictures["woodcut"]}
    job = JobSettings().updated(run={"checkpoint": "/somewhere"}, edit={"prompt": "a mosaic"})
    assert "clip_score" not in edit_measures(edits, "a", job)["b"]  # nothing is fetched for it
    asked: list[str] = []
    monkeypatch.setattr(module, "vit_is_at_hand", lambda: True)
    monkeypatch.setattr(module, "load_clip_classifier", lambda settings: asked.append(settings.model) or judge)
    assert "clip_score" in edit_measures(edits, "a", job)["b"] and asked == ["ViT-B-32"]
