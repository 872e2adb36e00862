"""CLIP score: whether an edit shows what was asked for, where the other measures only tell it from another edit."""

from __future__ import annotations

from torch import Tensor

from impress_ui.measures.classifiers.clip import VIT, ClipClassifier, load_clip_classifier, vit_is_at_hand
from impress_ui.settings import EMBEDDED, MICRO_CLIP_NAME, ClassifySettings


def judge_for(checkpoint: str) -> ClipClassifier | None:
    """The CLIP that judges what a checkpoint makes; None where there is none.

    The embedded checkpoint was taught with the micro CLIP's own words. That knows their styles, and no subjects: of
    two oil paintings it does not tell the forest from the mountain. Another checkpoint may be asked for anything, which
    takes a real CLIP: OpenAI's ViT-B/32, if its weights are in the hub's cache.
    """
    if checkpoint == EMBEDDED:
        return load_clip_classifier(ClassifySettings(model=MICRO_CLIP_NAME))
    return load_clip_classifier(ClassifySettings(model=VIT)) if vit_is_at_hand() else None


def clip_score(features: Tensor, prompt: str, judge: ClipClassifier) -> Tensor:
    """100 times the cosine of each picture's embedding and the prompt's, at least 0: (N,), of 100.

    Hessel et al. (arXiv 2104.08718) without their factor of 2.5, as torchmetrics has it.

    Args:
        features: the judge's of the pictures (N, dimensions).
    """
    return 100 * (features @ judge.text_features(prompt)).clamp(min=0).cpu()


def clip_similarity(features: Tensor, reference: Tensor) -> Tensor:
    """The cosine of each picture's embedding (N, dimensions) and the reference's (dimensions,): (N,), 1 for itself."""
    return (features @ reference).cpu()
