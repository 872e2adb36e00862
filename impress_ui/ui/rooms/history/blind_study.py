"""The pairs of a blind comparison, as copies that nothing can be read off, and where a series of questions stands."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from PIL import Image

from impress_ui.errors import UserError
from impress_ui.measures.blind import QUESTIONS, Answer, Turn
from impress_ui.ui.record import ALL_PICTURES
from impress_ui.ui.rooms.history.runs import PastRun

OWN = "own picture"


@dataclass(frozen=True)
class Side:
    """One picture of a pair: what it is called in the result, a file's name beside that, and the study's copy."""

    name: str
    file: str
    detail: str = ""

    @property
    def told(self) -> str:
        """Its name in the CSV."""
        return f"{self.name}, {self.detail}" if self.detail else self.name


@dataclass(frozen=True)
class Pair:
    """A and B, what is asked about them, and what both were made of, where that is known.

    Attributes:
        prompt: what both edits were asked for, if that is one and known.
    """

    question: str
    a: Side
    b: Side
    original: str | None = None
    prompt: str = ""


@dataclass(frozen=True)
class Study:
    """The pairs of a series, the order that they are asked in, and the answers so far.

    Attributes:
        listed: the pairs that the visitor put on the list.
        began: when the question that stands there was asked, by the clock of ``time.monotonic``.
        folder: where that question's pictures lie.
        kept: the answers of the series before this one.
    """

    pairs: tuple[Pair, ...] = ()
    turns: tuple[Turn, ...] = ()
    answers: tuple[Answer, ...] = ()
    began: float = 0.0
    folder: str = ""
    kept: tuple[Answer, ...] = ()
    listed: tuple[Pair, ...] = ()

    @property
    def turn(self) -> Turn | None:
        """The question that stands there; None once all are answered, and before the first."""
        return self.turns[len(self.answers)] if len(self.answers) < len(self.turns) else None

    @property
    def series(self) -> int:
        """The number of this series, from 1."""
        return 1 + max((answer.series for answer in self.kept), default=0)

    @property
    def all_answers(self) -> tuple[Answer, ...]:
        """Those of every series."""
        return (*self.kept, *self.answers)

    def asked(self, folder: Path) -> tuple[Study, dict[str, str | None]]:
        """Ask the next question: its pictures by place ("left", "original", "right"), in this empty folder.

        Each question has files of its own, which are called after the place alone: neither a name nor an address that
        comes again tells which is which.
        """
        pair, files = self.pairs[self.turn.pair], {}
        left, right = (pair.b, pair.a) if self.turn.swapped else (pair.a, pair.b)
        for place, file in (("left", left.file), ("original", pair.original), ("right", right.file)):
            files[place] = file and str(shutil.copyfile(file, folder / f"{place}.png"))
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        return replace(self, folder=str(folder), began=time.monotonic()), files

    def answered(self, answer: str) -> Study:
        """The question that stands there got this answer, one of ``ANSWERS``."""
        turn, pair = self.turn, self.pairs[self.turn.pair]
        left, right = (pair.b, pair.a) if turn.swapped else (pair.a, pair.b)
        now, seconds = datetime.now().astimezone().isoformat(timespec="seconds"), time.monotonic() - self.began
        row = Answer(
            now, QUESTIONS[pair.question], self.series, turn.pair + 1, left.told, right.told, turn.a_stood, answer,
            round(seconds, 2),
        )  # fmt: skip
        return replace(self, answers=(*self.answers, row))


def of_runs(question: str, runs: Sequence[PastRun], kinds: Sequence[str], folder: Path) -> Pair:
    """The pair of a picture of each of two runs, or of two pictures of one.

    Args:
        runs: A's and B's.
        kinds: which picture of each, a key of ``ALL_PICTURES``.
        folder: where the copies are put.

    Raises:
        UserError: a picture is not there, both are the same, or they cannot be compared.
    """
    from impress_ui.pictures.images import open_picture

    names, images, originals, prompts = [], [], [], []
    for run, kind in zip(runs, kinds, strict=True):
        original, file = run.record.pair("original", kind, whole=True)
        if file is None or not Path(file).is_file():
            raise UserError(f"Run {run.number} has no picture of this kind ({ALL_PICTURES[kind]}): choose another one.")
        names.append(f"run {run.number}, {ALL_PICTURES[kind].lower()}")
        images.append(open_picture(file).image)
        originals.append(open_picture(original).image if original and Path(original).is_file() else None)
        prompts.append(_prompt(file) if question == "edit" else "")
    if question == "change" and None in originals:
        number = runs[originals.index(None)].number
        raise UserError(f"Run {number} does not know its original, from which the change is to be told.")
    alike = None not in originals and _alike(*originals)
    if question == "change" and not alike:
        raise UserError("The two runs are of different originals: choose two runs of one picture.")
    prompt = prompts[0] if prompts[0] == prompts[1] else ""
    return _pair(question, names, images, originals[0] if alike else None, folder, prompt=prompt)


def of_files(question: str, a: str | None, b: str | None, original: str | None, folder: Path) -> Pair:
    """The pair of two files, and what both were made of.

    Raises:
        UserError: one is not there or cannot be opened, both are the same, or they cannot be compared.
    """
    from impress_ui.pictures.images import open_picture

    if a is None or b is None:
        raise UserError("Put in both pictures, A and B; or take all of your own out, to compare those of the runs.")
    if question == "change" and original is None:
        raise UserError("Put in the original of your two pictures, from which the change is to be told.")
    images = [open_picture(file).image for file in (a, b)]
    between = None if original is None else open_picture(original).image
    return _pair(question, (OWN, OWN), images, between, folder, details=[Path(file).name for file in (a, b)])


def _pair(
    question: str, names: Sequence[str], images: Sequence[Image.Image], original: Image.Image | None, folder: Path, *,
    details: Sequence[str] = ("", ""), prompt: str = "",
) -> Pair:  # fmt: skip
    from impress_ui.pictures.images import save_png

    first, second = images
    for what, other in (("A and B", second), ("A and the original", original)):
        if other is not None and other.size != first.size:
            (w, h), (x, y) = first.size, other.size
            raise UserError(f"{what} are not of one size, {w}x{h} and {x}x{y} pixels: which is which could be told.")
    if _alike(first, second):
        raise UserError("A and B are the same picture: choose another run, or another picture of it.")
    # Saved anew: the run's own files carry their settings inside.
    a, b = (
        Side(name, str(save_png(image, folder / f"{letter}.png")), detail)
        for letter, name, image, detail in zip("ab", names, images, details, strict=True)
    )
    between = None if original is None else str(save_png(original, folder / "original.png"))
    return Pair(question, a, b, between, prompt)


def _alike(image: Image.Image, other: Image.Image) -> bool:
    return image.size == other.size and image.tobytes() == other.tobytes()


def _prompt(file: str) -> str:
    """What an edit was asked for, as its file says."""
    from impress_ui.pictures.images import read_metadata

    told = read_metadata(file) or {}
    try:
        return str(told["settings"]["edit"]["prompt"])
    except (KeyError, TypeError):
        return ""
