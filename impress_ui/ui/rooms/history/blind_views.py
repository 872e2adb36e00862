"""What the blind comparison says, as HTML: which pairs, which question, and what the answers come to."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from impress_ui.measures.blind import CONFIDENCE, QUESTIONS, Answer, Tally, tally
from impress_ui.ui.rooms.history.blind_study import Pair, Side, Study

INTRODUCED = (
    "You are shown two pictures without their names, each time at random sides, and say which one is better. A is a "
    "picture of the run that is chosen above, B one of the run beside it, or of the same run where there is none."
)
HOW_COUNTED = (
    "Answers without a difference are left out of the share. The interval is Clopper and Pearson’s, the last column "
    "the exact two-sided binomial test: how often a coin would be at least as uneven. Both take answers for "
    "independent: what one person says about one pair, however often, is that person’s view of that pair."
)
HEADS = ("", "A preferred", "Share of A", "95 % interval", "No difference", "A coin as uneven")


def listed(pairs: Sequence[Pair]) -> str:
    """The pairs of a list, by their numbers."""
    if not pairs:
        return ""
    return f'<ol class="blind-list">{"".join(f"<li>{_named(pair)}</li>" for pair in pairs)}</ol>'


def asked(study: Study) -> str:
    """The question that stands there, and how many there are."""
    pair = study.pairs[study.turn.pair]
    prompt = f'<p class="caption">Prompt: <q translate="no">{escape(pair.prompt)}</q></p>' if pair.prompt else ""
    return (
        f'<div class="blind-asked" role="status"><h3>{escape(QUESTIONS[pair.question])}</h3>'
        f"<span>question {len(study.answers) + 1} of {len(study.turns)}</span></div>{prompt}"
    )


def result(study: Study) -> str:
    """The table of a series: a row a pair, and one of all where they were asked the same."""
    if not study.answers:
        return '<p class="caption">No question was answered.</p>'
    by_pair = {
        number: [answer for answer in study.answers if answer.pair == number]
        for number in range(1, len(study.pairs) + 1)
    }
    rows = [
        _row("", _named(study.pairs[number - 1]), answers, study.pairs[number - 1].question)
        for number, answers in by_pair.items()
    ]
    if len(study.pairs) > 1 and len({pair.question for pair in study.pairs}) == 1:
        rows.append(_row("All pairs", "", study.answers, ""))
    heads = "".join(f'<th scope="col">{escape(head)}</th>' if head else "<td></td>" for head in HEADS)
    count = f"{len(study.answers)} answers" if len(study.answers) > 1 else "1 answer"
    return (
        f'<p class="caption"><b>{count}</b></p>'
        '<div class="table-scroll" tabindex="0" role="region" aria-label="Result"><table class="measures">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f'<p class="caption">{escape(HOW_COUNTED)}</p>'
    )


def _row(title: str, pair: str, answers: Sequence[Answer], question: str) -> str:
    counted = tally(answers)
    named = f"{escape(title)}{pair}" + (f"<small>{escape(QUESTIONS[question])}</small>" if question else "")
    cells = "".join(f"<td>{cell}</td>" for cell in _cells(counted))
    return f'<tr><th scope="row">{named}</th>{cells}</tr>'


def _cells(counted: Tally) -> tuple[str, ...]:
    share, coin = counted.share, counted.coin()
    if share is None or coin is None:
        return ("0 of 0", "—", "—", str(counted.neither), "—")
    low, high = counted.interval(CONFIDENCE)
    return (
        f"{counted.a} of {counted.decided}",
        f"{share:.0%}",
        f"{100 * low:.0f} to {high:.0%}",
        str(counted.neither),
        f"{coin:.0%}" if coin >= 0.1 else f"{coin:.1%}" if coin >= 0.001 else "< 0.1%",
    )


def _named(pair: Pair) -> str:
    return "".join(f"<div>{letter}: {_side(side)}</div>" for letter, side in (("A", pair.a), ("B", pair.b)))


def _side(side: Side) -> str:
    """A file's name is no text of the page."""
    detail = f' <span translate="no">{escape(side.detail)}</span>' if side.detail else ""
    return f"{escape(side.name)}{detail}"
