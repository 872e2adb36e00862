"""Sufficient or not: what a protection leaves once its picture has gone through what pictures go through.

Four cheap survivors, a JPEG, half the size, the learned purifier and a few of IMPRESS's steps, and a line that says
whether what is left would still spoil an edit. The stress test asks more of a protection, and tells more.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs.answer import FAINT, HOLDS, faint
from impress_ui.jobs.workflow import purify_picture, seen
from impress_ui.measures.grid import distances_to
from impress_ui.methods.optimise import ShouldStop, never, run_to_end
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures.images import to_images
from impress_ui.settings import EMBEDDED, JobSettings, purifier_of

logger = logging.getLogger(__name__)

# By the words that ``purifier_of`` understands: what people call them.
SURVIVORS = {
    "jpeg 75": "a JPEG of quality 75",
    "resize 0.5": "half the size and back",
    "learned": "the learned purifier",
    "fast steps=10": "ten steps of IMPRESS",
}
# A latent that is moved by less of its length than this does not spoil an edit: this tells the validation photographs'
# edits with an SSIM below 0.85 to the original's edit most often rightly (docs/results.md, "The arms race").
SPOILS = 0.55


@dataclass(frozen=True)
class Check:
    """How far the protected picture moves the latent, as a share of its length, and how far after each survivor.

    ``calibrated``: whether it is known for this model and kind of protection from where on an edit is spoiled.
    """

    moved: float
    after: Mapping[str, float]
    calibrated: bool = True

    @property
    def sentence(self) -> str:
        """The line for people."""
        if not all(map(math.isfinite, (self.moved, *self.after.values()))):
            return "What the protection outlives could not be measured: a latent is no number."
        if self.moved < FAINT:
            return faint(self.moved)
        left = {name: min(1.0, after / self.moved) for name, after in self.after.items()}
        if not self.calibrated:
            told = ", ".join(
                f"{SURVIVORS[name]} ({left[name]:.0%} left)" for name in sorted(left, key=left.__getitem__)
            )
            return f"Of how far it moves the latent, is left after {told}."
        if self.moved < SPOILS:
            return (
                f"Not sufficiently protected: the latent is moved by {self.moved:.1%} of its length, and an edit is "
                f"spoiled from about {SPOILS:.0%}. Raise the budget or the steps."
            )
        undone = [name for name, after in self.after.items() if after < SPOILS and left[name] < HOLDS]
        undone.sort(key=left.__getitem__)
        if undone:
            told = ", ".join(f"{SURVIVORS[name]} ({left[name]:.0%} left)" for name in undone)
            return f"It does not hold against {told}: edits come back."
        worst = min(left, key=left.__getitem__)
        if left[worst] < HOLDS:
            return f"It is weakened by {SURVIVORS[worst]} to {left[worst]:.0%}, and still spoils an edit."
        return f"It holds against {', '.join(SURVIVORS.values())}: at least {left[worst]:.0%} is left."

    def as_dict(self) -> dict[str, Any]:
        """Plain data, with the line."""
        spoils = SPOILS if self.calibrated else None
        return {"moved": self.moved, "after": dict(self.after), "spoils_from": spoils, "sentence": self.sentence}


def check(
    protected: Image.Image, original: Image.Image, job: JobSettings, should_stop: ShouldStop = never
) -> Check | None:
    """Check a protected RGB picture against its original, of the same size; None when it was stopped.

    Pictures at their own size are checked as the model sees them.
    """
    protected, original = seen(protected, job), seen(original, job)
    distance = distances_to(original, load_autoencoder(job.run))
    after = {}
    for words in SURVIVORS:
        wanted = job.updated(run={"whole": "no"}).model_copy(update={"purify": purifier_of(words)})
        last = run_to_end(purify_picture(protected, wanted, should_stop=should_stop))
        if last.stopped or should_stop():
            return None
        after[words] = distance(to_images(last.result)[0])
    # The threshold was chosen there. What is aimed at training need not move the latent far to be of use, and what goes
    # away from itself moves it far for little.
    known = job.run.checkpoint == EMBEDDED and PROTECTIONS[job.protect.method].calibrated
    return Check(distance(protected), after, calibrated=known)


def checked(
    kind: str,
    result: Image.Image,
    original: Image.Image,
    job: JobSettings,
    *,
    stopped: bool,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """``{"check": ...}`` of a result, where it is a protected picture that went to its end and the run wants it."""
    if kind != "protected" or stopped or not job.run.check:
        return {}
    try:
        found = check(result, original, job, should_stop)
    except (UserError, torch.OutOfMemoryError, MemoryError) as error:  # the protected picture is there all the same
        logger.warning("What the protection outlives could not be checked: %s", error)
        return {}
    return {} if found is None else {"check": found.as_dict()}
