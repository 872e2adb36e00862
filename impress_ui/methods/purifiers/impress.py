"""IMPRESS in the table of purifiers: its algorithm stands in ``methods/impress.py``, its fields in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.impress import impress
from impress_ui.methods.purifiers.purifier import Purifier
from impress_ui.settings.impress import ImpressSettings

if TYPE_CHECKING:
    from impress_ui.settings import PurifySettings


def pace(settings: PurifySettings) -> str:
    """A step costs by the variable and by the terms that are looked at."""
    weighted = settings.consistency_term if settings.consistency_weight else "watched"
    terms = ("" if weighted == "watched" else f", {weighted}") + f", {settings.similarity_term}"
    return f"impress, {settings.variable}" + ("" if terms == ", lpips" else terms)


IMPRESS = Purifier(
    "impress",
    "IMPRESS",
    ImpressSettings,
    impress,
    steps=lambda settings: settings.steps,
    overhead=1,
    pace=pace,
    probe=lambda _: {"steps": 1},
)
