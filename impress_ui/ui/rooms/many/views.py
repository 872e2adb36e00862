"""What the page says of several pictures: how they stand, what each came to, and what could not be done."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from impress_ui.ui.views import duration

WORDS = {"protect": "Protect", "purify": "Purify", "stress": "Stress-test"}
DONE = {"protect": "protected", "purify": "purified", "stress": "stress-tested"}

# What is purified or tested of a picture that was not protected here.
AS_GIVEN = "as it was given"
OTHER_SIZE = "as it was given, since it was protected at another working size"


def told(count: int, failed: Mapping[str, str], done: str = "") -> str:
    """How many pictures lie there or what was done, and a sentence for each that could not be used."""
    words = done or f"{pictures(count)}. What is done with all of them goes by the settings beside them."
    items = "".join(f"<li>{escape(why if name in why else f'{name}: {why}')}</li>" for name, why in failed.items())
    return f'<p class="strip">{escape(words)}</p>' + (f'<ul class="notes">{items}</ul>' if items else "")


def pictures(count: int) -> str:
    """So many pictures, in words."""
    return "1 picture" if count == 1 else f"{count} pictures"


def hint(seconds: Mapping[str, float]) -> str:
    """How long it is expected to take."""
    costs = ", ".join(f"{WORDS[what].lower()} all in about {duration(cost)}" for what, cost in seconds.items())
    return f'<p class="hint">If they are as large as the picture above: {costs}.</p>' if costs else ""


def caption(what: str, measures: Mapping[str, Any], *, known: bool, taken: str, ended: str) -> str:
    """What a picture came to. ``known``: it is measured against an original; ``ended``: why it ended early."""
    words = [DONE[what]]
    if taken:
        words.append(taken)
    against = measures.get("against_original")
    if against:
        words.append(f"SSIM {against['ssim']:.3f} to {'the original' if known else 'the picture given'}")
    if measures.get("looks"):
        words.append(str(measures["looks"]))
    return "; ".join([*words, ended] if ended else words)
