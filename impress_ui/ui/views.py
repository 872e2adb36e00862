"""What the page says, as HTML: pure functions of plain data. Everything from outside is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape, unescape
from typing import TYPE_CHECKING, Any

from impress_ui.jobs.answer import answer as sentence
from impress_ui.jobs.answer import found_in_words
from impress_ui.ui.components import PURIFIER_NAMES
from impress_ui.ui.record import PICTURES

if TYPE_CHECKING:
    from impress_ui.models.fetching import Fetching
    from impress_ui.ui.progress import Timing

CAPTIONS = {
    "original": "The picture as it came, at its working size.",
    "protected": "Looks the same to you, not to a latent diffusion model.",
    "reconstructed": "V(x) = D(E(x)): what the model sees of it.",
    "purified": "The protection taken out again.",
}
CURVES_TOLD = (
    "While a protection works, its latent moves: the distance to the target falls. While the purification works, its "
    "loss falls, and similarity stays at zero as long as the result is near enough to the protected picture."
)
PANES_TOLD = (
    "The protected picture looks like the original; its reconstruction does not. A purified picture is one whose "
    "reconstruction looks like itself again."
)
ZOOMS = (1, 2, 4, 8)
BOTH = "Protect and purify"  # the bench's run button
UNKNOWN_ORIGINAL = "Unknown: the picture was uploaded already protected."
NOT_CALIBRATED = "the detector is not calibrated for this checkpoint"

# Column: heading, how it is read from a row's measures, digits, whether more is better (None: neither).
COLUMNS: tuple[tuple[str, tuple[str, ...], int, bool | None], ...] = (
    ("SSIM", ("against_original", "ssim"), 3, True),
    ("PSNR dB", ("against_original", "psnr"), 2, True),
    ("LPIPS", ("against_original", "lpips"), 3, False),
    ("L∞", ("against_original", "linf"), 0, False),
    ("L2", ("against_original", "l2"), 0, False),
    ("Latent distance", ("latent_distance",), 3, False),
    ("SSIM of V(x)", ("reconstruction_ssim",), 3, True),
    ("Budget found", ("budget_found",), 1, None),
    ("Round-trip error", ("round_trip_error",), 5, False),
    ("SSIM", ("against_reconstruction", "ssim"), 3, None),
    ("PSNR dB", ("against_reconstruction", "psnr"), 2, None),
    ("LPIPS", ("against_reconstruction", "lpips"), 3, None),
)
GROUPS = (("x against the original", 5), ("seen by the model", 2), ("x alone", 1), ("x against its own V(x)", 4))


def header() -> str:
    """The first thing a stranger reads: one line, and the stance."""
    return """
<header>
  <h1>IMPRESS <small>how much is an imperceptible protection worth?</small></h1>
  <p class="ethics"><strong>Removing a protection is dual use.</strong> This page exists to evaluate protections, so
  that better ones are built; use it only on images that you have the right to use.</p>
</header>"""


def sheet_button() -> str:
    """On a phone the controls lie in a sheet at the bottom; until this opens it, only the run button is seen."""
    return '<button type="button" id="sheet" aria-expanded="false" aria-controls="controls">Picture, sliders</button>'


def heading(title: str, about: str) -> str:
    """A section's title and one line about it."""
    return f'<div class="section"><h2>{escape(title)}</h2><span>{escape(about)}</span></div>'


def what_you_see(told: str) -> str:
    """The short line under a result that says how to read it."""
    return f'<p class="caption told-below"><b>What you see.</b> {escape(told)}</p>'


def answer(rows: Sequence[Mapping[str, Any]], purifier: str = "IMPRESS", checked: str = "") -> str:
    """What the run says in words, at the top of the bench, and after it what the check of a protection says."""
    named = [{**row, "label": PURIFIER_NAMES[row["name"]]} if row["control"] else row for row in rows]
    told = sentence(named, purifier)
    more = f" <span>{escape(checked)}</span>" if checked and checked not in told else ""
    return f'<p class="answer">{escape(told)}{more}</p>' if told else ""


def how_to_read() -> str:
    """The large view, the zoom of all pictures, the curves as files, and how all of it is read, on request."""
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in (PANES_TOLD, CURVES_TOLD))
    ways = "".join(f'<button type="button" data-as="{way.lower()}">{way}</button>' for way in ("SVG", "PNG", "CSV"))
    return (
        f'<div class="told-row"><button type="button" id="closer">Compare large</button>{zoom_bar()}'
        f'<span id="save-curves">Save the curves {ways}</span>'
        f"<details><summary>What you see</summary>{told}</details></div>"
    )


def zoom_bar() -> str:
    """The buttons that magnify every picture of the story at one place; ``assets/zoom.js`` hears them."""
    buttons = "".join(
        f'<button type="button" data-zoom="{times}" aria-pressed="{str(times == 1).lower()}">{times}×</button>'
        for times in ZOOMS
    )
    return (
        f'<div id="zoom" role="group" aria-label="Zoom of all pictures"><b>Zoom</b>{buttons}'
        "<span>All pictures at one place: point at it, or use the arrow keys here.</span>"
        "<output></output></div>"
    )


def notes(sentences: Iterable[str]) -> str:
    """What was done to the picture, a sentence an item."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="notes">{items}</ul>' if items else ""


def hint(purifies: str | None) -> str:
    """What Purify will take."""
    taken = {
        None: "<b>Purify</b> takes the protected picture, or your upload as it is.",
        "protected": "<b>Purify</b> takes the protected picture that stands here.",
        "upload": "<b>Purify</b> takes your upload as it is, as a picture that somebody protected.",
    }[purifies]
    return f'<p class="hint">{taken}</p>'


def costing(label: str, seconds: float | None) -> str:
    """A run button's words: what it does, and what that is expected to take."""
    return f"{label} · about {duration(seconds)}" if seconds else label


def idle(text: str = "Choose a picture, then “Protect and purify”.") -> str:
    """The status line before anything ran."""
    return status("Ready", text, "idle")


def status(
    phase: str, text: str, state: str = "running", share: float | None = None, machine: str | None = None
) -> str:
    """The status line: phase, text, and a bar when the share that is done is known.

    Args:
        state: idle, example, running, done, stopped or failed.
        machine: what computed, said once it is over.
    """
    known = "" if share is None else f' aria-valuenow="{100 * share:.0f}"'
    width = 100 * share if share is not None else 0
    computed = f'<small class="machine">{escape(machine)}</small>' if machine else ""
    return (
        f'<div class="run-status {state}" role="status" aria-live="polite"><b class="phase">{escape(phase)}</b>'
        f'<span class="told">{escape(text)}</span>'
        f'<div class="bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100"{known}>'
        f'<i style="width:{width:.1f}%"></i></div>{computed}</div>'
    )


def text_of(line: str) -> str:
    """A status line's words, without its markup."""
    told = re.search(r'class="told">(.*?)</span>', line)
    return unescape(told[1]) if told else ""


def running(
    phase: str, index: int, steps: int, rate: float, left: float | None, where: str = "", share: float | None = None
) -> str:
    """The status line of a run at step ``index`` of ``steps``.

    ``where``: on which of several pictures; ``share``: what is done of all of them.
    """
    pace = f" · {rate:.1f} steps/s" if rate else ""
    remaining = f" · {duration(left)} left" if left is not None and index < steps else ""
    told = f"{where}step {index} of {steps}{pace}{remaining}"
    return status(phase, told, "running", (index / steps if steps else 1.0) if share is None else share)


def waiting(ahead: int, seconds: float) -> str:
    """The status line of a job that waits for the device."""
    before = "one job is" if ahead == 1 else f"{ahead} jobs are"
    return status("Waiting", f"for the device: {before} before this one; {duration(seconds)} so far")


def fetching(step: Fetching) -> str:
    """The status line of a job whose checkpoint comes from the hub: which part, and how much of it."""
    return status("Fetching", step.told, "running", step.share)


def ending(timing: Timing, stopped: bool) -> str:
    """How a run came to its end."""
    return f"at step {timing.index} of {timing.steps}" if stopped else f"in {timing.seconds:.1f} s"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def caption(name: str, row: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None) -> str:
    """The line under a pane: its purpose, then its figures once they are measured.

    ``before``: the purified picture's row of the last run, from which the difference is told.
    """
    if row is None:
        return CAPTIONS[name]
    if name == "reconstructed":
        kept = row.get("reconstruction_ssim")
        return CAPTIONS[name] + (f" SSIM to V(original) <b>{kept:.3f}</b>." if kept is not None else "")
    against = row.get("against_original")
    old = before if name == "purified" else None
    parts = []
    if against is not None and name != "original":
        parts = [f"SSIM {against['ssim']:.3f}{_change(row, old, ('against_original', 'ssim'), 3)}"]
        parts += [f"L∞ {against['linf']:.0f}"] if old is None else []
    parts.append(f"round-trip error {row['round_trip_error']:.4f}{_change(row, old, ('round_trip_error',), 4)}")
    looks = f"<b>{escape(row['looks'])}</b> · " if row.get("looks") else ""
    return looks + " · ".join(parts)


def _change(row: Mapping[str, Any], before: Mapping[str, Any] | None, path: Sequence[str], digits: int) -> str:
    now, then = _value(row, path), None if before is None else _value(before, path)
    return "" if now is None or then is None else f' <i class="change">{now - then:+.{digits}f}</i>'


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """All measures, a row a picture; the best of the purified and the controls is bold in each column."""
    if not rows:
        return '<p class="caption">The table fills in after a run.</p>'
    rivals = [row for row in rows if row["control"] or row["name"] == "purified"]
    best = [_best(rivals, path, digits, more) for _, path, digits, more in COLUMNS]
    groups = "".join(f'<th colspan="{width}" scope="colgroup">{escape(name)}</th>' for name, width in GROUPS)
    heads = "".join(f'<th scope="col">{escape(name)}{_arrow(more)}</th>' for name, _, _, more in COLUMNS)
    body = "".join(_table_row(row, best, row in rivals) for row in rows)
    verdicts = "".join(
        f"<li><b>{PICTURES[row['name']]}</b> <span>{escape(row['verdict'] or NOT_CALIBRATED)}</span>"
        f"{f'; <span>{found}</span>' if (found := found_in_words(row)) else ''}</li>"
        for row in rows
        if row["name"] in PICTURES
    )
    return (
        '<div class="table-scroll" tabindex="0" role="region" aria-label="Measures"><table class="measures">'
        f'<thead><tr><td></td>{groups}<td></td></tr><tr><th scope="col">Picture</th>{heads}<th scope="col">Verdict</th>'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
        '<p class="caption">↑ more is better, ↓ less is better; bold: best of the purified picture and the controls, '
        "all made from the same protected picture. L∞ and L2 in grey levels out of 255; latent distance is "
        "‖E(x) − E(original)‖ over ‖E(original)‖; SSIM of V(x) is taken against V(original); budget found is a "
        "protection’s, in grey levels, by what the learned purifier would take off, which takes noise for a "
        "protection, too.</p>"
        f"<ul class='verdicts'>{verdicts}</ul>"
    )


def _table_row(row: Mapping[str, Any], best: Sequence[str | None], rival: bool) -> str:
    cells = []
    for (_, path, digits, _), winner in zip(COLUMNS, best, strict=True):
        text = _cell(row, path, digits)
        cells.append(f"<td>{f'<b>{text}</b>' if rival and text == winner else text}</td>")
    name = PURIFIER_NAMES[row["name"]] if row["control"] else PICTURES[row["name"]]
    kind = "control" if row["control"] else row["name"]
    small = " · ".join(part for part in ("control" if row["control"] else "", row["setting"]) if part)
    return (
        f'<tr class="row-{kind}"><th scope="row">{escape(name)}<small>{escape(small)}</small></th>{"".join(cells)}'
        f"<td>{escape(row.get('looks') or '—')}</td></tr>"
    )


def _value(row: Mapping[str, Any], path: Sequence[str]) -> float | None:
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _cell(row: Mapping[str, Any], path: Sequence[str], digits: int) -> str:
    value = _value(row, path)
    if value is not None:
        return f"{value:.{digits}f}"
    return "∞" if path[-1] == "psnr" and path[0] in row else "—"


def _best(rows: Sequence[Mapping[str, Any]], path: Sequence[str], digits: int, more: bool | None) -> str | None:
    values = [value for row in rows if (value := _value(row, path)) is not None]
    if more is None or len(values) < 2:
        return None
    return f"{(max if more else min)(values):.{digits}f}"


def _arrow(more: bool | None) -> str:
    return "" if more is None else (" ↑" if more else " ↓")
