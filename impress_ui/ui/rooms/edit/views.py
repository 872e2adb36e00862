"""What the page says about edits: pure functions of plain data, as HTML, and the verdict also as a plain sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from impress_ui.ui.prompts import STYLES, SUBJECTS
from impress_ui.ui.record import Record
from impress_ui.ui.views import duration

IDLE = "One prompt and one seed for every picture that is there."
GENERATE_TOLD = (
    "Every picture begins with noise of its own: the seeds count up from the one in Settings, and each file carries "
    "its own, so that any of them can be made again alone."
)
GENERATE_IDLE = "From text alone; nothing of your picture is used."
CAPTIONS = {
    "original": "What the model makes of the unprotected picture.",
    "protected": "The same edit of the protected picture: a protection that holds spoils it.",
    "purified": "The same edit once the protection has been taken out.",
}
REFERENCE = "The clean edit, which the others are measured against."
STALE = "Made before the last run; edit again."
NOTHING = "Edit the pictures to see whether the protection holds."
NO_CLEAN_EDIT = (
    "There is no clean edit to compare with: the picture came already protected, and its original is unknown."
)
MEASURES = (
    ("SSIM", "ssim", 3, "↑"), ("PSNR dB", "psnr", 2, "↑"), ("VIFp", "vif", 3, "↑"), ("LPIPS", "lpips", 3, "↓"),
    ("CLIP similarity", "clip_similarity", 3, "↑"), ("CLIP score", "clip_score", 1, "↑"),
)  # fmt: skip
PASTED = "Outside the mask each edit is its own picture, so these figures count the protection itself there too."
SMALL = 0.005  # differences of SSIM below it are called none
HARDLY = 0.98  # an edit this close to the clean one was not changed in earnest


def hint(names: Sequence[str], seconds: float | None = None) -> str:
    """Which pictures an edit takes, and how long: beside Stop the button is too narrow to say so on a slow machine."""
    if not names:
        return ""
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f'<p class="hint"><span>Edits the {listed} picture.</span> {time_here(seconds)}</p>'


def time_here(seconds: float | None) -> str:
    """How long it is expected to take, if that can be said."""
    return f"<span>About {duration(seconds).replace(' ', '&nbsp;')} here.</span>" if seconds else ""


def known_words() -> str:
    """What the embedded checkpoint was taught to paint."""
    return (
        "<details class='words'><summary>Words that the embedded model was taught</summary>"
        f'<p><b>Styles</b> <span translate="no" lang="en">{", ".join(STYLES)}.</span></p>'
        f'<p><b>Subjects</b> <span translate="no" lang="en">{", ".join(SUBJECTS)}.</span></p>'
        "<p>It is a small model of landscapes: it follows styles well, and of subjects the colours more than the "
        "shapes; other words lead it astray.</p></details>"
    )


def caption(name: str, record: Record) -> str:
    """The line under an edit, then its measures against the clean edit."""
    if record.stale(name):
        return f'<p class="stale">{STALE}</p>'
    edit = record.edits.get(name)
    if edit is None:
        return CAPTIONS[name]
    if name == "original":
        return REFERENCE
    return figures(edit.measures) if edit.measures else CAPTIONS[name]


def figures(measures: Mapping[str, Any]) -> str:
    """The measures of an edit against the clean edit: two in a line, all of them on request."""
    items = "".join(
        f"<div><dt>{name} <i>{arrow}</i></dt><dd>{_number(measures, key, digits)}</dd></div>"
        for name, key, digits, arrow in MEASURES
        if key in measures
    )
    told = f"SSIM <b>{_number(measures, 'ssim', 3)}</b> · LPIPS <b>{_number(measures, 'lpips', 3)}</b>"
    return f'<details><summary>{told} to the clean edit</summary><dl class="edit-measures">{items}</dl></details>'


def _number(measures: Mapping[str, Any], key: str, digits: int) -> str:
    value, clean = measures.get(key), measures.get(f"{key}_of_reference")
    if value is not None:
        return f"{value:.{digits}f}" + ("" if clean is None else f" <small>clean: {clean:.{digits}f}</small>")
    return "∞" if key == "psnr" else "—"


def verdict(record: Record) -> str:
    """What the edits say about the protection and the purification."""
    fresh = {name: edit.measures for name, edit in record.edits.items() if not record.stale(name)}
    if not record.edits:
        text = NOTHING
    elif not fresh:
        text = "These edits were made before the last run: edit again to judge what it made."
    else:
        text = sentence(fresh, record.edits_stopped, record.edits_pasted)
    return f'<p class="edit-verdict">{escape(text)}</p>'


def sentence(edits: Mapping[str, Mapping[str, Any] | None], stopped: bool = False, pasted: bool = False) -> str:
    """The verdict on edits, by the name of the picture that each was made from, with measures against the clean one.

    Args:
        stopped: the edits are as they stood when somebody stopped them.
        pasted: outside a mask they are the pictures themselves, which the measures then compare too.
    """
    if "original" not in edits:
        return NO_CLEAN_EDIT
    before = "At the step where it was stopped: " if stopped else ""
    after = f" {PASTED}" if pasted and len(edits) > 1 else ""
    return before + _told(edits.get("protected"), edits.get("purified")) + after


def _told(protected: Mapping[str, Any] | None, purified: Mapping[str, Any] | None) -> str:
    if protected is None and purified is None:
        return "This is the edit of the original alone: protect it, then edit again to see what the protection changes."
    if protected is None:
        return f"The edit of the purified picture has SSIM {purified['ssim']:.2f} to the clean edit."
    start = protected["ssim"]
    if start >= HARDLY:
        told = f"The protection hardly changed the edit: SSIM {start:.2f} to the clean edit"
    else:
        told = f"The protection changed the edit: SSIM {start:.2f} to the clean edit"
    if purified is None:
        return f"{told}. There is no edit of a purified picture to set beside it."
    end = purified["ssim"]
    if start >= HARDLY:
        return f"{told}, so there is little to restore; after purifying {end:.2f}."
    if abs(end - start) < SMALL:
        told = f"{told}; after purifying {end:.2f}: the purification restored nothing"
    elif end < start:
        told = f"{told}; after purifying {end:.2f}: the purification made it worse"
    else:
        told = f"{told}; after purifying {end:.2f}: {(end - start) / (1 - start):.0%} of the gap is closed"
    return f"{told}{_second_opinion(protected, purified)}."


def _second_opinion(protected: Mapping[str, Any], purified: Mapping[str, Any]) -> str:
    """LPIPS, where it says otherwise than SSIM."""
    better = purified["ssim"] > protected["ssim"]
    nearer = purified["lpips"] < protected["lpips"]
    if better == nearer or purified["lpips"] == protected["lpips"]:
        return ""
    return f" (LPIPS says otherwise: {protected['lpips']:.2f} before, {purified['lpips']:.2f} after)"
