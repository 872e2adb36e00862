"""An artist's works: the photographs that ship with the app, as the artist would have made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from impress_ui.art.artists.catalogue import artist_of
from impress_ui.art.painting import rendered
from impress_ui.art.subjects import SUBJECTS, subject_of
from impress_ui.errors import UserError
from impress_ui.pictures.photographs import Split, names_of, square

Half = Literal["train", "test"]


@dataclass(frozen=True)
class Work:
    """A picture, its caption "{subject} by {artist}", and the name of the photograph or file that it came from."""

    image: Image.Image
    caption: str
    subject: str
    photograph: str


def photographs_of(split: Half) -> list[tuple[str, Split]]:
    """The photographs behind a split's works, with the photographs' own split.

    'train': the 16 of 'validation' and every fourth of 'test', 24 together. 'test': of the other 24 of 'test', five in
    six, 20 together. No photograph is in both, and both show nearly every subject.
    """
    test = names_of("test")
    if split == "train":
        return [(name, "validation") for name in names_of("validation")] + [(name, "test") for name in test[::4]]
    others = [name for number, name in enumerate(test) if number % 4]
    return [(name, "test") for number, name in enumerate(others) if number % 6 != 2]


def works(artist: str, split: Half, *, side: int = 128, count: int | None = None, seed: int = 0) -> list[Work]:
    """The artist's works of a split, square, in the order of ``photographs_of``; 24 take under a second.

    Args:
        artist: a name in ``ARTISTS``.
        split: 'train' (24 works) to learn the style from, 'test' (20) to judge it by.
        count: only the first so many.
        seed: of the renderer; another seed lays other strokes over the same photographs.

    Raises:
        UserError: no such artist, or fewer works than ``count``.
    """
    known, photographs = artist_of(artist), photographs_of(split)
    if count is not None and not 1 <= count <= len(photographs):
        raise UserError(f"{known.name} has {len(photographs)} {split} works; choose from 1 to {len(photographs)}.")
    made = []
    for number, (name, source) in enumerate(photographs[:count]):
        picture = np.asarray(square(name, source, side))
        painted = rendered(known.painter, picture, seed * 1000 + number)
        subject = SUBJECTS[subject_of(name)][0]
        made.append(Work(Image.fromarray(painted), f"{subject} by {known.name}", subject, name))
    return made


def asked_captions(artist: str, count: int) -> list[str]:
    """What an imitator is asked for: the subjects of the test works, again from the first when they run out.

    Args:
        artist: any name, a visitor's too.
    """
    subjects = [SUBJECTS[subject_of(name)][0] for name, _ in photographs_of("test")]
    return [f"{subjects[number % len(subjects)]} by {artist}" for number in range(count)]
