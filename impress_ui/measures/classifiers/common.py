"""What the classifiers share: the styles that there are to tell apart, rankings, and accuracy with its error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from impress_ui.art.artists import ARTISTS
from impress_ui.art.painting import PHOTOGRAPH, STYLES
from impress_ui.errors import UserError

# Every manner in which this project can render a photograph: what the micro CLIP was taught to tell apart.
CLASSES = (PHOTOGRAPH, *STYLES, *ARTISTS)


@dataclass(frozen=True)
class Verdict:
    """The likeliest class of a picture first, each with its probability; all classes or the first few."""

    ranking: tuple[tuple[str, float], ...]

    @property
    def best(self) -> str:
        return self.ranking[0][0]

    def names(self, truth: str) -> bool:
        """Whether the truth is among those ranked."""
        return any(name == truth for name, _ in self.ranking)


@dataclass(frozen=True)
class Accuracy:
    """Share of n pictures whose true class was among the first top_k, and the standard error sqrt(p (1 - p) / n)."""

    value: float
    n: int
    top_k: int

    @property
    def standard_error(self) -> float:
        return math.sqrt(self.value * (1 - self.value) / self.n)


def check_classes(classes: Sequence[str], top_k: int) -> None:
    """See that there is something to decide.

    Raises:
        UserError: fewer than two classes, one twice or without a name, or as many answers allowed as there are classes.
    """
    if any(not name.strip() for name in classes):
        raise UserError("A class has no name; take the empty entry out of the list.")
    if doubled := next((name for name in classes if list(classes).count(name) > 1), None):
        raise UserError(f"The class {doubled} is in the list twice; name each class once.")
    if len(classes) < 2:
        raise UserError(f"A classifier chooses between classes, and there is only {classes[0] if classes else 'none'}; "
                        "name at least two.")  # fmt: skip
    if top_k >= len(classes):
        raise UserError(f"Among {len(classes)} classes the first {top_k} always hold the right one; "
                        f"choose a top-k below {len(classes)}.")  # fmt: skip


def class_index(classes: Sequence[str], truth: str) -> int:
    """Where the true class stands in the list.

    Raises:
        UserError: it is not there.
    """
    if truth not in classes:
        shown = ", ".join(classes[:8]) + (f" and {len(classes) - 8} more" if len(classes) > 8 else "")
        raise UserError(f"The true class {truth} is not among the classes: {shown}.")
    return list(classes).index(truth)


def ranking(scores: Tensor, classes: Sequence[str], top_k: int | None = None) -> list[Verdict]:
    """A verdict for every row of the probabilities (N, classes), with the first ``top_k`` classes or all."""
    values, places = scores.topk(top_k or len(classes), dim=1)
    return [
        Verdict(tuple((classes[place], value) for place, value in zip(row, chances, strict=True)))
        for row, chances in zip(places.tolist(), values.tolist(), strict=True)
    ]


def accuracy(scores: Tensor, classes: Sequence[str], truth: str | Sequence[str], top_k: int = 1) -> Accuracy:
    """How often the true class is among the ``top_k`` likeliest, for probabilities (N, classes).

    Args:
        truth: the one true class of all pictures, or one for each.

    Raises:
        UserError: a truth that is no class, or a class list or top-k that decides nothing.
    """
    check_classes(classes, top_k)
    truths = [truth] * len(scores) if isinstance(truth, str) else list(truth)
    for name in dict.fromkeys(truths):
        class_index(classes, name)
    verdicts = ranking(scores, classes, top_k)
    hits = sum(verdict.names(name) for verdict, name in zip(verdicts, truths, strict=True))
    return Accuracy(hits / len(verdicts), len(verdicts), top_k)
