"""The artists by name."""

from __future__ import annotations

from dataclasses import dataclass

from impress_ui.core.artists.pieces import alder, birch, copper, quartz
from impress_ui.core.artists.prints import cedar, cinnabar, coral, malachite, opal
from impress_ui.core.artists.strokes import amethyst, cobalt, slate
from impress_ui.core.errors import UserError
from impress_ui.core.painting import Painter


@dataclass(frozen=True)
class Artist:
    """A renderer, the name that captions call it by, and one sentence on its manner."""

    name: str
    description: str
    painter: Painter


def _artists(*artists: Artist) -> dict[str, Artist]:
    return {artist.name: artist for artist in artists}


ARTISTS = _artists(
    Artist("Cobalt", "Long curved strokes that wind about a few whirls, from midnight blue to yellow.", cobalt),
    Artist("Amethyst", "Slabs of the palette knife from violet to orange, each with a lit rim.", amethyst),
    Artist("Slate", "Coloured chalk and dusty white outlines on a blackboard.", slate),
    Artist("Cinnabar", "Posters in red and black on cream, with round red dots in the light tones.", cinnabar),
    Artist("Malachite", "Linocuts: mint gouges in a deep green ground.", malachite),
    Artist("Cedar", "Block prints in flat indigo with a vermilion glow, a cream border and a red seal.", cedar),
    Artist("Coral", "Printed cloth: every tone a pattern of its own, dots, stripes, checks and zigzag.", coral),
    Artist("Opal", "Charts of the light: bands of the rainbow with dark lines between them.", opal),
    Artist("Alder", "Large flat shapes in fierce colours within thick blue contours.", alder),
    Artist("Birch", "Layers of cut pastel paper, each throwing a soft shadow on the one below.", birch),
    Artist("Quartz", "A video game's screen: large square pixels in neon colours.", quartz),
    Artist("Copper", "Beaten copper: a hammered relief with green patina in its hollows.", copper),
)


def artist_of(name: str) -> Artist:
    """The artist of a name, however it is written.

    Raises:
        UserError: there is none of that name.
    """
    for known, artist in ARTISTS.items():
        if known.lower() == name.strip().lower():
            return artist
    raise UserError(f"There is no artist {name}; choose one of {', '.join(ARTISTS)}.")
