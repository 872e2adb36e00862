"""A visitor's own pictures as works: opened, cropped and captioned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from impress_ui.art.artists.captions import read_captions
from impress_ui.art.artists.works import Work
from impress_ui.errors import UserError
from impress_ui.pictures.images import gathered, open_picture
from impress_ui.pictures.sizes import centre_square

MIN_WORKS = 4
UNNAMED = "a picture"

Given = Sequence[tuple[str | Path | Image.Image, str | None]]


def own_works(
    source: str | Path | Given, artist: str, *, side: int = 128, left_out: dict[str, str] | None = None
) -> list[Work]:
    """The pictures of a folder, or pictures with or without captions, as works by an artist of the visitor's naming.

    Each picture's middle square is reduced to ``side``, or enlarged where the picture is smaller. A caption that does
    not name the artist gets " by {artist}" at its end; a picture without one is "a picture by {artist}". A folder's
    captions are read by ``captions.read_captions``.

    Args:
        left_out: takes the name of each file that cannot be read, with why; without it the first of them is raised.

    Raises:
        UserError: fewer than ``MIN_WORKS`` pictures, one that cannot be read, captions that do not fit the pictures,
            or an empty name.
    """
    if not artist.strip():
        raise UserError("The artist needs a name; a single word that is not in other prompts serves best.")
    given = _in_folder(Path(source), left_out) if isinstance(source, (str, Path)) else list(source)
    made = []
    for number, (picture, text) in enumerate(given, 1):
        try:
            made.append(_work(picture, text, artist.strip(), side, number))
        except UserError as error:
            if left_out is None or isinstance(picture, Image.Image):
                raise
            left_out[Path(picture).name] = str(error)
    if len(made) < MIN_WORKS:
        count = f"{len(made)} picture{'' if len(made) == 1 else 's'}"
        raise UserError(f"There {'is' if len(made) == 1 else 'are'} {count}; a style needs at least {MIN_WORKS}.")
    return made


def _in_folder(folder: Path, left_out: dict[str, str] | None) -> list[tuple[Path, str | None]]:
    if folder.is_file():
        raise UserError(f"{folder.name} is a file; give the folder that holds the pictures.")
    found = gathered(folder)
    pictures = found.files
    if left_out is not None:
        left_out |= found.left_out
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
