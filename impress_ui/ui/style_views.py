"""What the page says about a study of a style: the loss curves, the bars, and the verdict as a sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from impress_ui.ui.curves import Panel, chart
from impress_ui.ui.views import duration

VARIANTS = {"clean": "Clean works", "protected": "Protected works", "purified": "Purified works"}
IDLE = "Choose an artist, or bring your own pictures, then “Run the style study”."
CAPTIONS = {
    "clean": "The works as the artist made them, and what a model makes that learnt from them.",
    "protected": "The same works protected: a protection that holds keeps the style from being learnt.",
    "purified": "The protected works once the protection has been taken out.",
}
PHASES = {
    "target": "Painting the target",
    "protect": "Protecting the works",
    "purify": "Purifying the works",
    "fine-tune": "Learning from the",
    "generate": "Imitating from the",
    "judge": "Judging",
}
LOSSES = Panel("Denoising error", {name: label.lower() for name, label in VARIANTS.items()}, log=False)
SMOOTH = 10  # steps that a point of the curves is the mean of
CHANCE = 0.05  # a difference that chance makes less often than this is one
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 200, 76, 84, 10, 28


@dataclass(frozen=True)
class Score:
    """How the imitations learnt from one set of works were judged.

    ``found`` is the likeliest class of each; ``share`` of them are the artist's, with its standard ``error``.
    """

    artist: str
    found: tuple[str, ...]
    share: float
    error: float

    @property
    def hits(self) -> int:
        return self.found.count(self.artist)


def button(goes_on: bool) -> str:
    """What the section's button says."""
    return "Go on" if goes_on else "Run the style study"


def phase(name: str, variant: str, stage: int, stages: int) -> str:
    """What a study is doing, for the status line."""
    of = f" {VARIANTS[variant].lower()}" if name in ("fine-tune", "generate") else ""
    return f"{stage + 1} of {stages}: {PHASES[name]}{of}"


def hint(works: int, imitations: int, own: bool, seconds: float, unmeasured: Sequence[str]) -> str:
    """What a study takes and makes, and how long it is expected to last, as far as that has been measured."""
    whose = "of your pictures" if own else "works"
    told = f"Learns from {works} {whose}, three times, and makes {imitations} imitations each time."
    if not unmeasured:
        told += f" About {duration(seconds)} here."
    elif seconds >= 1:
        listed = " and ".join(filter(None, (", ".join(unmeasured[:-1]), unmeasured[-1])))
        told += f" About {duration(seconds)} here and the time for {listed}, which has not been measured yet."
    return f'<p class="hint">{escape(told)}</p>'


def losses(curves: Mapping[str, Sequence[float]], steps: int) -> str:
    """The three fine-tunings in one chart, each point the mean of the last steps."""
    smoothed = {
        name: [_mean_before(values, end) for end in range(1, len(values) + 1)] for name, values in curves.items()
    }
    return chart(LOSSES, smoothed, dict.fromkeys(VARIANTS, steps))


def _mean_before(values: Sequence[float], end: int) -> float:
    part = values[max(0, end - SMOOTH) : end]
    return sum(part) / len(part)


def bars(scores: Mapping[str, Score]) -> str:
    """A bar for each set of works: the share of its imitations that the classifier takes for the artist's."""
    span, row = WIDTH - LEFT - RIGHT, (HEIGHT - TOP - BOTTOM) / len(VARIANTS)
    parts = [
        f'<line class="grid" x1="{LEFT + span * share}" x2="{LEFT + span * share}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text class="tick" text-anchor="middle" x="{LEFT + span * share}" y="{HEIGHT - 10}">{share:.0%}</text>'
        for share in (0, 0.5, 1)
    ]
    for number, name in enumerate(VARIANTS):
        middle = TOP + row * (number + 0.5)
        parts.append(f'<text class="bar-label" text-anchor="end" x="{LEFT - 8}" y="{middle + 4:.1f}">{name}</text>')
        if name in scores:
            parts.append(_bar(name, scores[name], middle, span))
    if not scores:
        parts.append(f'<text class="tick" x="{LEFT + 8}" y="{HEIGHT // 2}">judged at the end</text>')
    told = escape(verdict(scores) or "Nothing judged yet.")
    return (
        '<figure class="chart"><figcaption><strong>Taken for the artist’s</strong>'
        '<span class="key-note">by the classifier; whiskers: one standard error</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">'
        f"{''.join(parts)}</svg></figure>"
    )


def _bar(name: str, score: Score, middle: float, span: float) -> str:
    end, low, high = (
        LEFT + span * min(1, max(0, share))
        for share in (score.share, score.share - score.error, score.share + score.error)
    )
    return (
        f'<rect class="bar bar-{name}" x="{LEFT}" y="{middle - 15:.1f}" width="{end - LEFT:.1f}" height="30"/>'
        f'<path class="whisker" d="M{low:.1f} {middle:.1f}H{high:.1f}'
        f'M{low:.1f} {middle - 6:.1f}v12M{high:.1f} {middle - 6:.1f}v12"/>'
        f'<text class="bar-value" x="{max(end, high) + 6:.1f}" y="{middle + 4:.1f}">{score.share:.0%} '
        f"<tspan>{score.hits} of {len(score.found)}</tspan></text>"
    )


def verdict(scores: Mapping[str, Score]) -> str:
    """The bars in words, and what follows from them."""
    if not scores:
        return ""
    artist = next(iter(scores.values())).artist
    told = [_counted(name, score) for name, score in scores.items()]
    sentence = f"The classifier takes for {artist} {'; '.join(told)}."
    return f"{sentence} {_conclusion(scores)}" if len(scores) == len(VARIANTS) else sentence


def verdict_html(scores: Mapping[str, Score], target: str = "") -> str:
    """The verdict as a paragraph, with the style that GLAZE moved the works towards."""
    if not scores:
        return ""
    towards = f" The protection moved the works towards the style “{target}”." if target else ""
    return f'<p class="edit-verdict">{escape(verdict(scores) + towards)}</p>'


def _counted(name: str, score: Score) -> str:
    counted = f"{score.hits} of {len(score.found)} imitations learnt from the {VARIANTS[name].lower()}"
    others = Counter(found for found in score.found if found != score.artist).most_common(1)
    return f"{counted} (the others mostly for {others[0][0]})" if others else counted


def _conclusion(scores: Mapping[str, Score]) -> str:
    clean, protected, purified = (scores[name] for name in VARIANTS)
    if clean.share < 0.5:
        return "Even from the clean works the style was hardly learnt, so this says little: give it more steps."
    if not _more(clean, protected):
        return "That the protection kept the style from being learnt cannot be told from chance."
    if not _more(purified, protected):
        return "The protection kept the style from being learnt, and purifying brought back no more than chance may."
    part = "part of " if _more(clean, purified) else ""
    return f"The protection kept the style from being learnt, and purifying brought {part}it back."


def _more(one: Score, other: Score) -> bool:
    """Whether one has more hits than chance would give it, by Fisher's exact test, one-sided."""
    first, second, hits = len(one.found), len(other.found), one.hits + other.hits
    ways = sum(math.comb(first, k) * math.comb(second, hits - k) for k in range(one.hits, min(first, hits) + 1))
    return ways / math.comb(first + second, hits) < CHANCE
