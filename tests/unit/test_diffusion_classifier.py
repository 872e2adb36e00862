from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from impress_ui.art.painting import paint
from impress_ui.errors import UserError
from impress_ui.measures.classifiers.diffusion import DiffusionClassifier, passes
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import to_tensor
from impress_ui.pictures.photographs import squares
from impress_ui.settings import ClassifySettings
from impress_ui.settings.classify import ErrorMean

STYLES = ("photograph", "mosaic", "pencil sketch", "watercolour")
PROMPTS = tuple(f"a {style}" for style in STYLES)


def test_the_cost_is_told_right(model: DiffusionModel, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = ((3, 2), (2, 4), (1, 8))
    classifier = DiffusionClassifier(model, STYLES, PROMPTS, stages=stages)
    counted, plain = [], classifier._errors

    def counting(z, noises, pairs, most):
        counted.append(len(pairs))
        return plain(z, noises, pairs, most)

    monkeypatch.setattr(classifier, "_errors", counting)
    classifier.scores(squares("test", 64, 1))
    assert sum(counted) == passes(4, stages) == 4 * 2 + 3 * 2 + 2 * 4
    assert passes(39, ClassifySettings(preset="paper-diffusion").stages) == 39 * 20 + 20 * 30 + 10 * 50 + 5 * 400


@pytest.mark.parametrize("error_mean", ["arithmetic", "geometric"])
def test_one_stage_by_hand(model: DiffusionModel, little: list[Image.Image], error_mean: ErrorMean) -> None:
    classifier = DiffusionClassifier(model, STYLES, PROMPTS, stages=((1, 3),), error_mean=error_mean, seed=4)
    scores = classifier.scores(little[:1])[0]
    scheduler = model.scheduler("checkpoint")
    with torch.no_grad():
        z = model.autoencoder.to_scaled(model.autoencoder.encode(to_tensor(little[0])))
        noises = torch.randn((3, *z.shape[1:]), generator=torch.Generator().manual_seed(4))
        times = torch.tensor([167, 500, 833])
        noisy = scheduler.add_noise(z.expand(3, -1, -1, -1), noises, times)  # diffusers' own arithmetic
        for prompt, score in zip(PROMPTS, scores, strict=True):
            v = model.unet(noisy, times, model.embed(prompt).expand(3, -1, -1)).sample
            a = scheduler.alphas_cumprod[times].view(-1, 1, 1, 1)
            errors = (a.sqrt() * v + (1 - a).sqrt() * noisy - noises).square().mean(dim=(1, 2, 3)).double()
            wanted = errors.mean() if error_mean == "arithmetic" else errors.prod().pow(1 / 3).log()
            assert -score.item() == pytest.approx(wanted.item(), rel=1e-4)


def test_it_knows_the_styles_of_unseen_paintings(model: DiffusionModel) -> None:
    classifier = DiffusionClassifier(model, STYLES, PROMPTS, stages=((2, 2), (1, 6)))
    photographs = squares("test", 128, 1)
    pictures = [Image.fromarray(paint(style, np.asarray(p), 0)) for style in STYLES for p in photographs]
    best = [STYLES[row.argmax()] for row in classifier.scores(pictures)]
    truth = [style for style in STYLES for _ in photographs]
    assert best == truth


def test_a_stop_keeps_what_is_done(model: DiffusionModel, little: list[Image.Image]) -> None:
    classifier = DiffusionClassifier(model, STYLES, PROMPTS, stages=((1, 1),))
    assert len(list(classifier.judge(little, should_stop=lambda: True))) == 1


def test_what_decides_nothing_is_refused(model: DiffusionModel, inpainting: DiffusionModel) -> None:
    with pytest.raises(UserError, match="at least two"):
        DiffusionClassifier(model, STYLES[:1], PROMPTS[:1])
    with pytest.raises(UserError, match="only inpaint"):
        DiffusionClassifier(inpainting, STYLES, PROMPTS)
