"""What the page says about a stress test: its status, its table, its scatter and its verdict, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from impress_ui.settings import AS_SET, PurifySettings, purifier_of
from impress_ui.ui.components import PURIFIER_NAMES
from impress_ui.ui.views import duration, status

if TYPE_CHECKING:
    from impress_ui.jobs.items import ItemStep
    from impress_ui.jobs.stress import StressTest
    from impress_ui.measures.stress_rows import StressRow

IDLE = "Protect a picture, or bring one that is protected, then “Run the stress test”."
TOLD = (
    "Each mark is a purifier. Low: little of the protection is left. To the left: little of the picture is lost. The "
    "protection holds when no mark stands low and to the left."
)
GIVEN = {"protected": "Protected", "original": "Original"}
MEANT = {
    "edit": "By edit: LPIPS of the edit to the original’s edit, over the protected picture’s.",
    "twin": "By twin: distance to the original purified alike, over that of the protected picture to the original.",
}
TAKEN = {
    None: "It takes the protected picture of this page and its original.",
    "page": "It takes the protected picture of this page and its original.",
    "alone": "It takes the protected picture of this page; the original is unknown.",
    "upload": "It takes your upload as it is, as a picture that somebody protected.",
    "elsewhere": "It takes the picture given under “Pictures from elsewhere”.",
}


def hint(taken: str | None, seconds: float | None) -> str:
    """Which picture is tested, and how long that is expected to take."""
    wait = f"About {duration(seconds)} here." if seconds else "The pace is measured first, and the cost then told."
    return f'<p class="hint">{TAKEN[taken]} {wait} Stop keeps what is done.</p>'


def running(step: ItemStep, test: StressTest) -> str:
    """The status line of a test under way."""
    if step.seconds_left is None or not test.expected:
        return status(step.phase, f"before {step.count} purifiers")
    left, share = duration(step.seconds_left), min(1.0, max(0.0, 1 - step.seconds_left / test.expected))
    if step.done:
        return status("Testing", f"{step.number} of {step.count} purifiers done · about {left} left", "running", share)
    inside = f", step {step.index} of {step.steps}" if step.steps else ""
    where = f"purifier {step.number + 1} of {step.count}{inside} · about {left} left"
    return status(name_of(step.phase)[0], where, "running", share)


def name_of(words: str) -> tuple[str, str]:
    """(name, setting) of a row for people: ("JPEG", "jpeg 40")."""
    if words in GIVEN:
        return GIVEN[words], ""
    if words == AS_SET:
        return "As set in Settings", ""
    try:
        settings: PurifySettings = purifier_of(words)
    except ValueError:
        return words, ""
    return PURIFIER_NAMES[settings.method], words


def scatter(test: StressTest) -> str:
    """Protection left over picture lost, with the key of its marks."""
    from impress_ui.charts.stress import scatter as drawn

    original = "<span class='scatter-key key-original'>O original</span>" if test.original is not None else ""
    return (
        '<figure class="chart"><figcaption><strong>Protection left, picture lost</strong>'
        "<span class='scatter-key key-protected'>P protected</span>"
        f"{original}<span class='scatter-key key-impress'>IMPRESS</span>"
        "<span class='scatter-key key-other'>others, by rank; ringed: nothing is better in both</span></figcaption>"
        f"{drawn(test)}</figure>"
    )


def table(test: StressTest) -> str:
    """The ranked rows, under those of the pictures as they came."""
    known, wanted = test.original is not None, test.job.stress
    others = [name for name, asked in (("edit", wanted.edits), ("twin", wanted.twins)) if asked]
    unbeaten = test.unbeaten
    heads = ["Left ↓", *(f"by {name} ↓" for name in others), "by V(x) ↓", "LPIPS ↓", "SSIM ↑"]
    heads += ["LPIPS ↓", "SSIM ↑"] if known else []
    heads += ["Seconds"]
    groups = [("protection", 2 + len(others))]
    groups += [("to the original", 2)] if known else []
    groups += [("to the protected", 2), ("", 1)]
    body = "".join(_row("", row, known, others) for row in test.baseline)
    body += "".join(
        _row(f"{rank}{' <i class=ring></i>' if row.name in unbeaten else ''}", row, known, others)
        for rank, row in enumerate(test.ranking, 1)
    )
    top = "".join(f'<th colspan="{width}" scope="colgroup">{name}</th>' for name, width in groups)
    row = "".join(f'<th scope="col">{head}</th>' for head in heads)
    meant = (
        "100 % at the protected picture, 0 % at the original: ‖E(x) − E(original)‖ over that of the protected picture. "
        "Damage to the picture moves the latent too, and counts as protection left."
        if known
        else "100 % at the protected picture, 0 % at a clean photograph’s round-trip error; the original is unknown. "
        "Purifiers that draw with the decoder look stronger by it than they are."
    )
    meant += "".join(f" {MEANT[name]}" for name in others)
    return (
        '<div class="table-scroll" tabindex="0" role="region" aria-label="Ranked purifiers">'
        f'<table class="measures stress"><thead><tr><td></td>{top}</tr><tr><th scope="col">Purifier</th>{row}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
        f'<p class="caption">Protection left: {meant} By V(x): the round-trip error. '
        "<i class=ring></i> nothing is better in both what is left and what is lost.</p>"
    )


def _row(rank: str, row: StressRow, known: bool, others: Sequence[str]) -> str:
    name, setting = name_of(row.name)
    lead = row.left["latent"] if known else row.left["round_trip"]
    cells = [f"<b>{_share(lead)}</b>", *(_share(row.left[name]) for name in others), _share(row.left["round_trip"])]
    against: list[dict[str, Any]] = [row.against_original] if row.against_original is not None else []
    for figures in (*against, row.against_protected):
        cells += [f"{figures['lpips']:.3f}", f"{figures['ssim']:.3f}"]
    cells.append("—" if row.seconds is None else f"{row.seconds:.1f}")
    kind = row.name if row.name in GIVEN else "purified" if name == PURIFIER_NAMES["impress"] else "control"
    head = f"{rank} {escape(name)}".strip()
    small = f"<small>{escape(setting)}</small>" if setting else ""
    return f'<tr class="row-{kind}"><th scope="row">{head}{small}</th>{"".join(f"<td>{c}</td>" for c in cells)}</tr>'


def _share(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.0f} %"


def verdict(text: str) -> str:
    return f'<p class="edit-verdict">{escape(text)}</p>'
