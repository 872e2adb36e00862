"""The diffusion classifier by its settings, and its jury: the embedded denoiser with an adapter for every artist.

The jury is for judging alone. The denoiser itself knows no artist, so that a study can teach it one.
"""

from __future__ import annotations

from functools import lru_cache

from impress_ui.art.artists import ARTISTS
from impress_ui.art.painting import in_words
from impress_ui.measures.classifiers.common import CLASSES, check_classes
from impress_ui.measures.classifiers.diffusion import DiffusionClassifier
from impress_ui.models.adapters import load_imitator
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.paths import JURY
from impress_ui.settings import EMBEDDED, ClassifySettings, RunSettings


def prompt_of(manner: str) -> str:
    """The sentence about a class of ``CLASSES``, as the jury's captions had it."""
    return f"a picture by {manner}" if manner in ARTISTS else in_words(manner)


@lru_cache(maxsize=1)
def load_diffusion_classifier(settings: ClassifySettings, run: RunSettings) -> DiffusionClassifier:
    """The classifier over the settings' classes, with the run's checkpoint or, for the embedded one, the jury.

    It is kept for the next call.

    Raises:
        UserError: a class list or a top-k that decides nothing, or a checkpoint that cannot classify.
    """
    classes = settings.classes or CLASSES
    check_classes(classes, settings.top_k)
    model = load_diffusion_model(run)
    if run.checkpoint == EMBEDDED:
        model = load_imitator(model, JURY, merged=True)
        prompts = [prompt_of(name) if name in CLASSES else settings.templates[0].format(name) for name in classes]
    else:
        prompts = [settings.templates[0].format(name) for name in classes]
    return DiffusionClassifier(
        model, classes, prompts, stages=settings.stages, error_mean=settings.error_mean, seed=run.seed
    )
