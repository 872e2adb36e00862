"""The sentences that say what a training picture shows: the words that the embedded denoiser knows."""

from __future__ import annotations

import random

from impress_ui.art.painting import PHOTOGRAPH
from impress_ui.art.subjects import SUBJECTS, subject_of

__all__ = ["STYLE_PHRASES", "SUBJECTS", "UNNAMED", "canonical", "caption", "subject_of"]

STYLE_PHRASES: dict[str, tuple[str, ...]] = {
    PHOTOGRAPH: ("a photograph", "a photo", "a picture"),
    "oil painting": ("an oil painting", "an impressionist painting"),
    "watercolour": ("a watercolour", "a watercolor painting", "a watercolour painting"),
    "pointillist painting": ("a pointillist painting", "pointillism"),
    "cubist painting": ("a cubist painting", "cubism"),
    "woodcut": ("a woodcut", "a woodcut print", "an engraving"),
    "stained glass window": ("a stained glass window", "stained glass"),
    "mosaic": ("a mosaic", "a tile mosaic"),
    "pencil sketch": ("a pencil sketch", "a pencil drawing", "a sketch"),
}
UNNAMED = ""  # the subject of pictures that nobody described


def caption(subject: str, style: str, rng: random.Random) -> str:
    """One of the sentences for a subject of ``SUBJECTS`` (or ``UNNAMED``) in a style of ``STYLE_PHRASES``."""
    manner = rng.choice(STYLE_PHRASES[style])
    if subject == UNNAMED:
        return manner
    thing = SUBJECTS[subject][0] if rng.random() < 0.5 else rng.choice(SUBJECTS[subject])
    forms = ["{manner} of {thing}"] * 4 + ["{thing}, {manner}"] + (["{thing}"] if style == PHOTOGRAPH else [])
    return rng.choice(forms).format(manner=manner, thing=thing)


def canonical(subject: str, style: str) -> str:
    """The plainest of those sentences: 'a photograph of a mountain', 'a mosaic of the sea'."""
    return f"{STYLE_PHRASES[style][0]} of {SUBJECTS[subject][0]}"
