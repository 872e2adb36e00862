"""A visitor's own pictures as works: opened, cropped and captioned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from impress_ui.art.artists.captions import read_captions
from impress_ui.art.artists.works import Work
from impress_ui.errors import UserError
from impress_ui.pictures.images import centre_square, open_picture, pictures_in

MIN_WORKS = 4
UNNAMED = "a picture"

Given = Sequence[tuple[str | Path | Image.Image, str | None]]


def own_works(source: str | Path | Given, artist: str, *, side: int = 128) -> list[Work]:
    """The pictures of a folder, or pictures with or without captions, as works by an artist of the visitor's naming.

    Each picture's middle square is reduced to ``side``, or enlarged where the picture is smaller. A caption that does
    not name the artist gets " by {artist}" at its end; a picture without one is "a picture by {artist}". A folder's
    captions are read by ``captions.read_captions``.

    Raises:
        UserError: fewer than ``MIN_WORKS`` pictures, one that cannot be read, captions that do not fit the pictures,
            or an empty name.
    """
    if not artist.strip():
        raise UserError("The artist needs a name; a single word that is not in other prompts serves best.")
    given = _in_folder(Path(source)) if isinstance(source, (str, Path)) else list(source)
    if len(given) < MIN_WORKS:
        count = f"{len(given)} picture{'' if len(given) == 1 else 's'}"
        raise UserError(f"There {'is' if len(given) == 1 else 'are'} {count}; a style needs at least {MIN_WORKS}.")
    return [_work(picture, text, artist.strip(), side, number) for number, (picture, text) in enumerate(given, 1)]


def _in_folder(folder: Path) -> list[tuple[Path, str | None]]:
    if folder.is_file():
        raise UserError(f"{folder.name} is a file; give the folder that holds the pictures.")
    pictures = pictures_in(folder)
    captions = read_captions(folder, pictures)
    return [(path, captions.get(path.name)) for path in pictures]


def _work(picture: str | Path | Image.Image, text: str | None, artist: str, side: int, number: int) -> Work:
    if isinstance(picture, Image.Image):
        image, name = picture.convert("RGB"), f"picture {number}"
    else:
        image, name = open_picture(picture).image, Path(picture).stem
    subject = (text or "").strip() or UNNAMED
    by = f" by {artist}"
    if artist.lower() in subject.lower():
        caption, subject = subject, subject.removesuffix(by)
    else:
        caption = subject + by
    return Work(centre_square(image, side), caption, subject, name)
