"""Draw docs/artists.webp, photographs and every artist's works: ``PYTHONPATH=. python docs/make_artists.py``."""

from __future__ import annotations

from pathlib import Path

from impress_ui.art.artists import ARTISTS, works
from impress_ui.art.artists.works import photographs_of
from impress_ui.pictures.contact_sheet import contact_sheet
from impress_ui.pictures.photographs import square

SIDE = 128
PHOTOGRAPHS = ("mountain1", "city3", "sea3", "forest2", "beach2", "canyon5", "snow1", "desert4")


def main() -> None:
    """A row a photograph: as it is, and as every artist would have made it."""
    places = dict(photographs_of("test"))
    columns = [[square(name, places[name], SIDE) for name in PHOTOGRAPHS]]
    for artist in ARTISTS:
        made = {work.photograph: work.image for work in works(artist, "test", side=SIDE)}
        columns.append([made[name] for name in PHOTOGRAPHS])
    rows = list(zip(*columns, strict=True))
    contact_sheet(Path(__file__).parent / "artists.webp", ["photograph", *ARTISTS], rows, width=SIDE)


if __name__ == "__main__":
    main()
