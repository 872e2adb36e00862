"""The sentence after a run, at the edges of its rules."""

from __future__ import annotations

from typing import Any

import pytest

from impress_ui.jobs.answer import answer


def row(name: str, latent: float | None, *, control: bool = False, error: float = 0.01, **more: Any) -> dict[str, Any]:
    figures = {"latent_distance": latent, "round_trip_error": error, "budget_found": 0.0}
    return {"name": name, "control": control, **figures, **more}


def told(protected: float, purified: float | None = None, **controls: float) -> str:
    rows = [row("original", 0.0), row("protected", protected)]
    rows += [] if purified is None else [row("purified", purified)]
    return answer([*rows, *(row(name, latent, control=True, label=name) for name, latent in controls.items())])


def test_nothing_measured_nothing_said() -> None:
    assert answer([]) == "" and answer([row("original", 0.0)]) == ""


def test_a_protection_that_never_worked_is_said_to_do_nothing() -> None:
    assert "does next to nothing" in told(0.0999, 0.05) and "Raise the budget" in told(0.0999)
    assert "does next to nothing" not in told(0.1, 0.05)


@pytest.mark.parametrize(
    ("left", "word"), [(0.76, "holds"), (0.74, "is weakened"), (0.51, "is weakened"), (0.49, "does not hold")]
)
def test_the_word_follows_what_is_left(left: float, word: str) -> None:
    assert f"it {word} against IMPRESS, which leaves {left:.0%}" in told(0.8, 0.8 * left)


def test_a_control_that_leaves_clearly_less_is_named_and_a_tie_is_not() -> None:
    assert "jpeg leaves less: 30% against 40%" in told(1.0, 0.4, jpeg=0.3, blur=0.6)
    assert "leaves less:" not in told(1.0, 0.4, jpeg=0.39)
    assert "nothing tried beside it leaves less than 45%" in told(1.0, 0.4, jpeg=0.45)


def test_before_purifying_it_says_what_to_do_next() -> None:
    assert told(0.6) == "The protection moves the latent by 60% of its length. Purify it to see what is left."


def test_without_the_original_the_round_trip_speaks_and_what_is_found() -> None:
    rows = [row("protected", None, error=0.02, budget_found=15.7), row("purified", None, error=0.005)]
    assert answer(rows[:1]).endswith(
        "the learned purifier finds a change of about 16 grey levels in it, and its round-trip error is 0.0200. "
        "Purify it to see whether that falls."
    )
    assert "finds no protection in it, and its" in answer([row("protected", None)])
    both = answer(rows)
    assert "the round-trip error fell, from 0.0200 to 0.0050, and the budget that is found went from 16 to 0." in both
    assert "error did not fall" in answer([rows[0], row("purified", None, error=0.02)])
