"""What a stress test says, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from impress_ui.jobs.answer import FAINT, word_for
from impress_ui.jobs.stress import StressTest
from impress_ui.measures.stress_rows import ORIGINAL, PROTECTED, StressRow

# LPIPS that a picture may lose and still be of use, unless the protection itself costs more.
BEARABLE = 0.3


def verdict(test: StressTest, *, stopped: bool = False) -> str:
    """Whether the protection holds under the purifiers that were run."""
    ranking = [row for row in test.ranking if row.protection_left is not None]
    before = f"Of {len(test.job.stress.purifiers)} purifiers {len(test.ranking)} were run. " if stopped else ""
    given = {row.name: row for row in test.baseline}
    if not ranking:
        return before + (_nothing_to_lose(given) if test.ranking else "No purifier was run, so nothing can be said.")
    protected, known = given[PROTECTED], ORIGINAL in given
    limit = max(BEARABLE, protected.picture_lost)
    bearable = [row for row in ranking if row.picture_lost <= limit]
    if not bearable:
        best = ranking[0]
        return before + (
            f"Every purifier that was run costs the picture more than LPIPS {limit:.2f}; the strongest, {best.name}, "
            f"leaves {_share(best)} of the protection at LPIPS {best.picture_lost:.2f}." + _caveats(given, known)
        )
    best = bearable[0]
    word = word_for(best.protection_left or 0.0)
    half = sum((row.protection_left or 0.0) <= 0.5 for row in bearable)
    sentence = (
        f"The protection {word}: {best.name} leaves {_share(best)} of it{_price(best, protected, known)}; "
        f"{half} of {len(ranking)} purifiers take away half or more at a bearable price (LPIPS up to {limit:.2f})."
    )
    others = _by(ranking, limit, "edit", "By the edits", "the edit's distance")
    others += _by(ranking, limit, "twin", "Against the original purified alike", "the protection")
    return before + sentence + _stronger(ranking, best) + others + _caveats(given, known)


def _price(best: StressRow, protected: StressRow, known: bool) -> str:
    if not known:
        return f" at LPIPS {best.picture_lost:.2f} to the protected picture"
    near = "nearer to" if best.picture_lost < protected.picture_lost else "farther from"
    return f", and its picture is {near} the original than the protected one (LPIPS {best.picture_lost:.2f}, {protected.picture_lost:.2f})"  # noqa: E501


def _stronger(ranking: Sequence[StressRow], best: StressRow) -> str:
    first = ranking[0]
    if first is best:
        return ""
    return f" {_capital(first.name)} leaves {_share(first)}, but the picture suffers (LPIPS {first.picture_lost:.2f})."


def _by(ranking: Sequence[StressRow], limit: float, measure: str, said: str, what: str) -> str:
    """Which purifier another measure puts first."""
    judged = [row for row in ranking if row.left[measure] is not None and row.picture_lost <= limit]
    if not judged:
        return ""
    best = min(judged, key=lambda row: row.left[measure] or 0.0)
    return f" {said} {best.name} does best: {best.left[measure]:.0%} of {what} is left."


def _caveats(given: dict[str, StressRow], known: bool) -> str:
    if not known:
        return (
            " The original is unknown, so this is the round-trip error's word alone, and purifiers that draw with the "
            "decoder look stronger by it than they are."
        )
    moved = given[PROTECTED].values["latent"] or 0.0
    return f" It was faint to begin with: it moves the latent by {moved:.0%} only." if moved < FAINT else ""


def _nothing_to_lose(given: dict[str, StressRow]) -> str:
    if ORIGINAL in given:
        return "There is nothing to take away: to the model the protected picture is the original."
    return "The picture's round-trip error is that of a clean photograph: no protection can be seen in it."


def _share(row: StressRow) -> str:
    return f"{row.protection_left:.0%}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
