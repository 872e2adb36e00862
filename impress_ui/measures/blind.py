"""A blind comparison of two pictures: the order of the questions, what the answers come to, and the answers as CSV."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

from impress_ui.errors import UserError

QUESTIONS = {
    "change": "Which one shows less of a change to the original?",
    "edit": "Which one is the better edit?",
}
NEITHER = "no difference"
ANSWERS = ("left", NEITHER, "right")
CONFIDENCE = 0.95
MOST = 400  # questions in one series: more than anybody answers with care


@dataclass(frozen=True)
class Turn:
    """One question: the number of its pair, from 0, and whether A stands at the right."""

    pair: int
    swapped: bool

    @property
    def a_stood(self) -> str:
        """The side of A: "left" or "right"."""
        return "right" if self.swapped else "left"


@dataclass(frozen=True)
class Answer:
    """One question that was answered, as a row of the CSV.

    Attributes:
        time: when, in ISO 8601 with the offset of the time zone.
        series: its number, from 1.
        pair: the pair's number in the series, from 1.
        left, right: what stood there, by name.
        a_stood: the side of A.
        answer: one of ``ANSWERS``.
        seconds: from the question to the answer.
    """

    time: str
    question: str
    series: int
    pair: int
    left: str
    right: str
    a_stood: str
    answer: str
    seconds: float

    @property
    def chosen(self) -> str:
        """ "A", "B", or nothing where no difference was seen."""
        if self.answer == NEITHER:
            return ""
        return "A" if self.answer == self.a_stood else "B"


@dataclass(frozen=True)
class Tally:
    """How often A and B were chosen, and how often no difference was seen."""

    a: int
    b: int
    neither: int

    @property
    def decided(self) -> int:
        """The answers that chose one."""
        return self.a + self.b

    @property
    def share(self) -> float | None:
        """The share of A among the decided answers, in [0, 1]; None without any."""
        return self.a / self.decided if self.decided else None

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """The exact interval (Clopper and Pearson) of that share; (0, 1) while nothing was decided.

        It excludes one half just where the test of ``coin`` is below 1 - ``confidence``: both halve the same tails.
        """
        if not self.decided:
            return 0.0, 1.0
        found = self._test().proportion_ci(confidence, method="exact")
        return float(found.low), float(found.high)

    def coin(self) -> float | None:
        """How often a coin is at least as uneven in so many throws: the two-sided p value; None without any."""
        return float(self._test().pvalue) if self.decided else None

    def _test(self):
        from scipy.stats import binomtest  # when it is needed: the page is there before

        return binomtest(self.a, self.decided)


def tally(answers: Iterable[Answer]) -> Tally:
    """Count the answers."""
    chosen = [answer.chosen for answer in answers]
    return Tally(chosen.count("A"), chosen.count("B"), chosen.count(""))


def order_of(pairs: int, times: int, seed: int) -> tuple[Turn, ...]:
    """Every pair so many times, in random order; A stands at each side equally often, or once more at one of them.

    That holds for each pair and for the whole series, so that a liking for one side favours neither A nor B.

    Args:
        seed: the same one gives the same order.

    Raises:
        UserError: there is nothing to ask, or too much.
    """
    if pairs < 1 or times < 1:
        raise UserError("There is nothing to ask: choose two pictures, and ask about them at least once.")
    if pairs * times > MOST:
        raise UserError(f"{pairs * times} questions are too many: {MOST} are the most. Ask less often, or about fewer.")
    chance = random.Random(seed)
    odd = [index % 2 == 0 for index in range(pairs)]  # of an odd number of times the last one
    if chance.random() < 0.5:
        odd = [not swapped for swapped in odd]
    chance.shuffle(odd)
    turns = []
    for pair in range(pairs):
        sides = [False, True] * (times // 2) + [odd[pair]] * (times % 2)
        turns += [Turn(pair, swapped) for swapped in sides]
    chance.shuffle(turns)
    return tuple(turns)


def as_csv(answers: Sequence[Answer]) -> str:
    """The answers, one row a question, below the names of the columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [column.name for column in fields(Answer)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(answer) for answer in answers)
    return text.getvalue()
