"""The artists by name."""

from __future__ import annotations

from dataclasses import dataclass

from impress_ui.art.artists.pieces import alder, birch, copper, quartz
from impress_ui.art.artists.prints import cedar, cinnabar, coral, malachite, opal
from impress_ui.art.artists.strokes import amethyst, cobalt, slate
from impress_ui.art.painting import Painter
from impress_ui.errors import UserError
from impress_ui.settings.artist_names import MANNERS


@dataclass(frozen=True)
class Artist:
    """A renderer, the name that captions call it by, and one sentence on its manner."""

    name: str
    description: str
    painter: Painter


_PAINTERS = {
    "Cobalt": cobalt,
    "Amethyst": amethyst,
    "Slate": slate,
    "Cinnabar": cinnabar,
    "Malachite": malachite,
    "Cedar": cedar,
    "Coral": coral,
    "Opal": opal,
    "Alder": alder,
    "Birch": birch,
    "Quartz": quartz,
    "Copper": copper,
}
ARTISTS = {name: Artist(name, manner, _PAINTERS[name]) for name, manner in MANNERS.items()}


def artist_of(name: str) -> Artist:
    """The artist of a name, however it is written.

    Raises:
        UserError: there is none of that name.
    """
    for known, artist in ARTISTS.items():
        if known.lower() == name.strip().lower():
            return artist
    raise UserError(f"There is no artist {name}; choose one of {', '.join(ARTISTS)}.")
