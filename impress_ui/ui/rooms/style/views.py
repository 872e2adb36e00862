"""What the page says about a study of a style: the loss curves, the bars, and the verdict as a sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from impress_ui.ui.curves import Panel, chart

# Where the protection and the purifier of a study come from: the quick ones, or as the page's settings stand.
QUICK, AS_ABOVE = "quick", "page"
VARIANTS = {"clean": "Clean works", "protected": "Protected works", "purified": "Purified works"}
IDLE = "Choose an artist, or bring your own pictures, then “Run the study”."
TOLD = (
    "A long bar: imitations learnt from those works are taken for the artist’s. A protection works when its bar is "
    "much shorter than that of the clean works; a purification undid it when the third bar is long again."
)
PHASES = {
    "target": "Finding the target style",
    "protect": "Protecting the works",
    "purify": "Purifying the works",
    "fine-tune": "Fine-tuning on",
    "generate": "Imitating from",
    "judge": "Judging",
}
LOSSES = Panel(
    "Fine-tuning", {name: f"denoising error, {label.lower()}" for name, label in VARIANTS.items()}, log=False
)
SMOOTH = 10  # steps that a point of the curves is the mean of
WIDTH, ROW, LEFT, RIGHT, TOP = 560, 46, 132, 90, 10


@dataclass(frozen=True)
class Score:
    """How the imitations learnt from one set of works were judged: each one's likeliest class."""

    artist: str
    found: tuple[str, ...]

    @property
    def hits(self) -> int:
        return self.found.count(self.artist)

    @property
    def share(self) -> float:
        return self.hits / len(self.found)

    @property
    def error(self) -> float:
        """Standard error of the share."""
        return math.sqrt(self.share * (1 - self.share) / len(self.found))


def phase(name: str, variant: str, stage: int, stages: int) -> str:
    """What a study is doing, for the status line."""
    of = f" {VARIANTS.get(variant, variant).lower()}" if name in ("fine-tune", "generate") else ""
    return f"{stage + 1}/{stages} {PHASES[name]}{of}"


def losses(curves: Mapping[str, Sequence[float]], steps: int) -> str:
    """The three fine-tunings in one chart, each point the mean of the last steps."""
    smoothed = {
        name: [sum(part) / len(part) for i in range(len(values)) if (part := values[max(0, i - SMOOTH + 1) : i + 1])]
        for name, values in curves.items()
    }
    return f'<div class="charts">{chart(LOSSES, smoothed, dict.fromkeys(VARIANTS, steps))}</div>'


def bars(scores: Mapping[str, Score]) -> str:
    """A bar for each set of works: the share of its imitations that the classifier takes for the artist's."""
    if not scores:
        return ""
    height = TOP + ROW * len(VARIANTS) + 24
    span = WIDTH - LEFT - RIGHT
    parts = [
        f'<line class="grid" x1="{LEFT + span * share}" x2="{LEFT + span * share}" y1="{TOP}" y2="{height - 24}"/>'
        f'<text class="tick" text-anchor="middle" x="{LEFT + span * share}" y="{height - 8}">{share:.0%}</text>'
        for share in (0, 0.5, 1)
    ]
    for row, (name, label) in enumerate(VARIANTS.items()):
        y = TOP + ROW * row
        parts.append(f'<text class="bar-label" x="0" y="{y + 28}">{label}</text>')
        if name not in scores:
            continue
        score = scores[name]
        end, low, high = (LEFT + span * min(1, max(0, share)) for share in (
            score.share, score.share - score.error, score.share + score.error,
        ))  # fmt: skip
        parts.append(
            f'<rect class="bar bar-{name}" x="{LEFT}" y="{y + 8}" width="{end - LEFT:.1f}" height="{ROW - 16}"/>'
            f'<path class="whisker" d="M{low:.1f} {y + 23}H{high:.1f}M{low:.1f} {y + 17}v12M{high:.1f} {y + 17}v12"/>'
            f'<text class="bar-value" x="{max(end, high) + 8:.1f}" y="{y + 28}">{score.share:.0%} '
            f"({score.hits} of {len(score.found)})</text>"
        )
    return (
        '<figure class="chart"><figcaption><strong>Taken for the artist by the classifier</strong>'
        "<span class='key-note'>whiskers: one standard error</span></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(verdict(scores))}">'
        f"{''.join(parts)}</svg></figure>"
    )


def verdict(scores: Mapping[str, Score]) -> str:
    """The bars in words."""
    told = []
    for name, score in scores.items():
        sentence = f"learnt from the {VARIANTS[name].lower()}: {score.hits} of {len(score.found)}"
        others = Counter(found for found in score.found if found != score.artist).most_common(1)
        if others and score.share < 0.5:
            sentence += f", mostly taken for {others[0][0]}"
        told.append(sentence)
    if not told:
        return ""
    artist = next(iter(scores.values())).artist
    return f"Imitations that the classifier takes for {artist}, {'; '.join(told)}."


def verdict_html(scores: Mapping[str, Score]) -> str:
    return f'<p class="edit-verdict">{escape(verdict(scores))}</p>' if scores else ""
