"""What a run says, in a sentence or two, by rules that stand here alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Shares of the protection that are left, from which on it holds, and is only weakened.
HOLDS, WEAKENED = 0.75, 0.5
# A latent moved by less than this share of its length is hardly moved: a good JPEG does as much.
FAINT = 0.1
# A control that leaves less by at least this share of the protection has beaten the purifier.
BEATEN_BY = 0.02


def answer(rows: Sequence[Mapping[str, Any]], purifier: str = "IMPRESS") -> str:
    """What the protection does to the picture on this model, and what is left of it after purifying.

    Args:
        rows: the measured pictures and controls, as ``jobs/compare.Row.as_dict`` has them; a control may carry a
            ``label`` for people.
        purifier: what purified, for people.

    Returns:
        The sentence; empty when nothing was measured.
    """
    found = {row["name"]: row for row in rows}
    protected, purified = found.get("protected"), found.get("purified")
    if protected is None:
        return ""
    if "original" not in found:
        return _without_original(protected, purified, purifier)
    moved = protected["latent_distance"]
    if moved < FAINT:
        return faint(moved)
    told = f"The protection moves the latent by {moved:.0%} of its length"
    if purified is None:
        return f"{told}. Purify it to see what is left."
    left = purified["latent_distance"] / moved
    word = word_for(left)
    return f"{told}; it {word} against {purifier}, which leaves {left:.0%} of that{_beaten(rows, left, moved)}."


def word_for(left: float) -> str:
    """Whether a protection of which this share is left holds, as a verb."""
    return "holds" if left >= HOLDS else "is weakened" if left >= WEAKENED else "does not hold"


def faint(moved: float) -> str:
    """What is said of a protection that hardly moves the latent."""
    return (
        f"This protection does next to nothing to this model: it moves the latent by {moved:.0%} of its length "
        "only. Raise the budget or the steps."
    )


def _beaten(rows: Sequence[Mapping[str, Any]], left: float, moved: float) -> str:
    """The control that takes most away, where it takes more than the purifier did."""
    controls = [row for row in rows if row["control"] and row.get("latent_distance") is not None]
    if not controls:
        return ""
    best = min(controls, key=lambda row: row["latent_distance"])
    share = best["latent_distance"] / moved
    if left - share < BEATEN_BY:
        return f"; nothing tried beside it leaves less than {min(share, 1):.0%}"
    return f"; {best.get('label', best['name'])} leaves less: {share:.0%} against {left:.0%}"


def _without_original(protected: Mapping[str, Any], purified: Mapping[str, Any] | None, purifier: str) -> str:
    """The words of the round-trip error and of what is found."""
    before, found = protected["round_trip_error"], found_in_words(protected)
    told = "The original is unknown, so the picture must tell by itself"
    if purified is None:
        more = f"{found}, and " if found else ""
        return f"{told}: {more}its round-trip error is {before:.4f}. Purify it to see whether that falls."
    after = purified["round_trip_error"]
    word = "fell" if after < before else "did not fall"
    both = f"{told}: with {purifier} the round-trip error {word}, from {before:.4f} to {after:.4f}"
    if not found:
        return f"{both}."
    budgets = " to ".join(f"{row['budget_found']:.0f}" for row in (protected, purified))
    return f"{both}, and the budget that is found went from {budgets}."


def found_in_words(row: Mapping[str, Any]) -> str:
    """What the learned purifier finds in a measured picture; nothing where an earlier version did not look."""
    if row.get("budget_found") is None:
        return ""
    if not row["budget_found"]:
        return "the learned purifier finds no protection in it"
    return f"the learned purifier finds a change of about {row['budget_found']:.0f} grey levels in it"
