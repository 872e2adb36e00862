"""The pieces of the denoiser's training that a wrong result could come from."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from diffusers import DDPMScheduler
from torch import Tensor, nn

from impress_ui.art.painting import PHOTOGRAPH, STYLES
from impress_ui.pictures.photographs import names_of
from training.captions import STYLE_PHRASES, SUBJECTS, UNNAMED, canonical, caption, subject_of
from training.lessons import Lesson, Means, Reader, other_subject, rival_loss
from training.paintings import Pictures
from training.state import keep, resume
from training.text_encoder import new_tokenizer, tokenizer_of
from training.train_pixel_diffusion import LOWER_THIRD, TIMES, draw_times
from training.train_pixel_diffusion import error as pixel_error


def test_every_caption_names_what_it_should() -> None:
    assert set(STYLE_PHRASES) == {PHOTOGRAPH, *STYLES}
    assert subject_of("mountain12-sfiera") == "mountain" and subject_of("myrabella8") == "water"
    assert all(subject_of(name) in SUBJECTS for split in ("test", "validation") for name in names_of(split))
    rng = random.Random(0)
    for _ in range(50):
        spoken = caption("sea", "mosaic", rng)
        assert any(word in spoken for word in SUBJECTS["sea"]) and "mosaic" in spoken
    assert caption(UNNAMED, "mosaic", rng) in STYLE_PHRASES["mosaic"]
    assert canonical("mountain", PHOTOGRAPH) == "a photograph of a mountain"


def test_the_tokenizer_gives_every_token_its_own_number(tmp_path: Path) -> None:
    tokenizer = new_tokenizer()
    numbers = tokenizer.get_vocab().values()
    assert sorted(numbers) == list(range(len(tokenizer)))
    text = "Woodcut, 3 mountains! Überraschung… 🙂"
    ids = tokenizer(text).input_ids
    assert tokenizer.eos_token_id not in ids[1:-1]
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == text.lower().replace(" ", "")
    kept = tokenizer_of(tmp_path / "tokenizer")
    assert tokenizer_of(tmp_path / "tokenizer")(text).input_ids == kept(text).input_ids


class Oracle(nn.Module):
    """Knows the clean latents and the noise, and answers as a perfect model of the kind would."""

    def __init__(self, lesson: Lesson, z: Tensor, noise: Tensor) -> None:
        super().__init__()
        self.lesson, self.z, self.noise = lesson, z, noise

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        a = self.lesson.alphas[times].view(-1, 1, 1, 1)
        v = a.sqrt() * self.noise - (1 - a).sqrt() * self.z
        return (self.noise if self.lesson.prediction == "epsilon" else v), tokens


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_perfect_model_has_no_loss(prediction: str) -> None:
    torch.manual_seed(0)
    lesson = Lesson(prediction, "cpu")
    z, noise, times = torch.randn(3, 4, 16, 16), torch.randn(3, 4, 16, 16), torch.tensor([10, 500, 990])
    error, _ = lesson.loss(Oracle(lesson, z, noise), z, z, noise, times, torch.zeros(3, 1))
    assert torch.allclose(error, torch.zeros(3), atol=1e-9)
    error, _ = lesson.loss(Oracle(lesson, z, -noise), z, z, noise, times, torch.zeros(3, 1))
    assert (error > 0.01).all()
    # Another goal than the latents that were made noisy: then it is a model that knows the goal that has no loss.
    goal = torch.randn(3, 4, 16, 16)
    error, _ = lesson.loss(Oracle(lesson, goal, noise), z, goal, noise, times, torch.zeros(3, 1))
    assert torch.allclose(error, torch.zeros(3), atol=1e-9)
    # What the validation measures: the fixed noise of its own seed is what this oracle has to know.
    fixed = torch.randn(z.shape, generator=torch.Generator().manual_seed(500))
    assert lesson.clean_error(Oracle(lesson, z, fixed), z, torch.zeros(3, 1), 500) < 1e-8


def test_the_reader_learns_to_name() -> None:
    torch.manual_seed(0)
    reader = Reader(192)
    text, names, styles = torch.randn(4, 192), ["sea", "city", UNNAMED, "sea"], ["mosaic"] * 4
    optimiser = torch.optim.Adam(reader.parameters(), lr=0.1)
    first = reader.loss(text, names, styles)
    for _ in range(20):
        optimiser.zero_grad()
        loss = reader.loss(text, names, styles)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1 < first.item()


def test_means_and_rivals() -> None:
    latents = torch.randn(4, 4, 2, 2, generator=torch.Generator().manual_seed(0)).half()
    means = Means(Pictures(latents, ["sea", "sea", "city", "sea"], ["mosaic", "mosaic", "mosaic", "woodcut"]))
    goals = means.goals([("sea", "mosaic"), ("sea", "woodcut"), None], "cpu")
    expected = torch.stack([latents[:2].float().mean(0), latents[3].float(), latents.float().mean(0)])
    assert torch.allclose(goals, expected, atol=1e-6)
    assert all(other_subject("sea", random.Random(seed)) not in ("sea", UNNAMED) for seed in range(40))
    good, bad = torch.tensor([0.1]), torch.tensor([0.5])
    assert rival_loss(good, bad) < rival_loss(good, good) < rival_loss(bad, good)
    assert rival_loss(good[:0], bad[:0]) == 0


def test_a_run_goes_on_where_it_was_ended(tmp_path: Path) -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    assert resume(tmp_path / "run", "cpu", model=first) == 0
    keep(tmp_path / "run", 7, model=first)
    assert resume(tmp_path / "run", "cpu", model=second) == 7
    assert torch.equal(first.weight, second.weight)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_perfect_model_on_pixels_has_no_loss(prediction: str) -> None:
    scheduler = DDPMScheduler(num_train_timesteps=TIMES, prediction_type=prediction)
    random = torch.Generator().manual_seed(0)
    x, noise = torch.rand(6, 3, 8, 8, generator=random) * 2 - 1, torch.randn(6, 3, 8, 8, generator=random)
    times = torch.tensor([0, 20, 100, 300, 700, 999])
    a = scheduler.alphas_cumprod[times].view(-1, 1, 1, 1)
    right = noise if prediction == "epsilon" else a.sqrt() * noise - (1 - a).sqrt() * x
    assert pixel_error(lambda *_: SimpleNamespace(sample=right), scheduler, x, times, noise) < 1e-9  # type: ignore[arg-type]
    assert pixel_error(lambda *_: SimpleNamespace(sample=-right), scheduler, x, times, noise) > 1  # type: ignore[arg-type]


def test_most_times_on_pixels_are_those_that_a_purifier_needs() -> None:
    times = draw_times(4000, torch.Generator().manual_seed(0))
    assert times.min() >= 0 and times.max() < TIMES
    assert (times < TIMES // 3).float().mean() == pytest.approx(LOWER_THIRD, abs=0.02)
