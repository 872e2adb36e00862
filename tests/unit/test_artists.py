"""The artists, their works, and a visitor's own pictures as works."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impress_ui.art.artists import ARTISTS, own_works, works
from impress_ui.art.artists.works import photographs_of
from impress_ui.art.painting import PHOTOGRAPH, STYLES
from impress_ui.art.subjects import SUBJECTS
from impress_ui.errors import UserError
from impress_ui.measures.classifiers.renderings import PAINTERS, in_manner
from impress_ui.pictures.photographs import squares


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [np.asarray(square) for square in squares("test", 128, 6)]


def far(array: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(array).convert("L").resize((8, 8), Image.Resampling.BOX), float).ravel()


@pytest.mark.parametrize("artist", ARTISTS)
def test_a_work_is_a_function_of_picture_and_seed(artist: str, pictures: list[np.ndarray]) -> None:
    picture, before = pictures[0], pictures[0].copy()
    first = in_manner(artist, picture, 1)
    assert first.shape == picture.shape and first.dtype == np.uint8
    assert np.array_equal(first, in_manner(artist, picture, 1))
    assert not np.array_equal(first, in_manner(artist, picture, 2))
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("artist", ARTISTS)
def test_a_work_shows_its_subject(artist: str, pictures: list[np.ndarray]) -> None:
    """Seen from afar, light and dark lie where they lay."""
    agreement = [np.corrcoef(far(in_manner(artist, p, 0)), far(p))[0, 1] for p in pictures]
    assert np.mean(agreement) > 0.5


def test_every_artist_has_a_palette_and_a_grain_of_their_own(pictures: list[np.ndarray]) -> None:
    """The nearest other work by colours and coarse structure is by the same artist, for artists, styles, photographs.

    An independent check: a colour histogram and the energy of four octaves, and the nearest mean, know nothing of CLIP.
    """

    def features(array: np.ndarray) -> np.ndarray:
        image = Image.fromarray(array).resize((96, 96), Image.Resampling.BOX)  # forgets one-pixel detail
        small = np.asarray(image, float) / 255
        colours = np.histogramdd(small.reshape(-1, 3), bins=4, range=[(0, 1)] * 3)[0].ravel() / small[..., 0].size
        grey, energy = small.mean(-1), []
        for side in (48, 24, 12, 6):
            coarse = np.asarray(Image.fromarray((grey * 255).astype(np.uint8)).resize((side, side)), float) / 255
            again = np.asarray(Image.fromarray((coarse * 255).astype(np.uint8)).resize((96, 96)), float) / 255
            energy.append(float(np.abs(grey - again).mean()))
        return np.concatenate([np.sqrt(colours), 2 * np.array(energy)])

    made = {name: [features(in_manner(name, p, 3)) for p in pictures] for name in (PHOTOGRAPH, *PAINTERS)}
    right = total = 0
    for artist in ARTISTS:
        for number, work in enumerate(made[artist]):
            others = {
                name: np.mean([w for k, w in enumerate(all_) if k != number], axis=0) for name, all_ in made.items()
            }
            right += min(others, key=lambda name, o=others, w=work: np.linalg.norm(o[name] - w)) == artist
            total += 1
    assert right / total > 0.95


def test_artists_are_no_styles_and_there_are_ten() -> None:
    assert len(ARTISTS) >= 10 and not set(ARTISTS) & set(STYLES)
    assert all(artist.description.endswith(".") and name == artist.name for name, artist in ARTISTS.items())


def test_no_photograph_is_behind_works_of_both_splits() -> None:
    train, test = photographs_of("train"), photographs_of("test")
    assert len(set(train)) == len(train) == 24 and len(set(test)) == len(test) == 20
    assert not set(train) & set(test)


def test_works_carry_their_captions() -> None:
    made = works("cobalt", "train", count=3)
    assert [work.caption for work in made] == [f"{work.subject} by Cobalt" for work in made]
    assert all(any(work.subject in ways for ways in SUBJECTS.values()) for work in made)
    assert {work.image.size for work in made} == {(128, 128)}
    assert works("Cobalt", "train", count=1, side=64)[0].image.size == (64, 64)
    assert made[0].image.tobytes() == works("Cobalt", "train", count=1)[0].image.tobytes()
    assert made[0].image.tobytes() != works("Cobalt", "train", count=1, seed=1)[0].image.tobytes()


def test_wrong_works_are_named() -> None:
    with pytest.raises(UserError, match="no artist Rembrandt; choose one of Cobalt"):
        works("Rembrandt", "train")
    with pytest.raises(UserError, match="Cobalt has 20 test works"):
        works("Cobalt", "test", count=21)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in (("a.png", (200, 100)), ("b c.jpg", (64, 90)), ("d.png", (40, 40)), ("e.png", (128, 128))):
        Image.new("RGB", size, "teal").save(tmp_path / name)
    return tmp_path


NAMES = ("a.png", "b c.jpg", "d.png", "e.png")


def test_own_pictures_are_cropped_enlarged_and_captioned(folder: Path) -> None:
    made = own_works(folder, "Me")
    assert [work.caption for work in made] == ["a picture by Me"] * 4
    assert {work.image.size for work in made} == {(128, 128)}
    given = own_works([(Image.new("RGB", (50, 70)), "a boat"), *[(folder / "a.png", None)] * 3], "Me", side=64)
    assert given[0].caption == "a boat by Me" and given[1].caption == "a picture by Me"
    assert given[0].image.size == (64, 64)


@pytest.mark.parametrize("layout", ["metadata.jsonl", "metadata.csv", "captions.txt", "beside"])
def test_captions_of_every_layout_are_read(folder: Path, layout: str) -> None:
    texts = dict(zip(NAMES, ["a boat", "the sea, at night", "a hill by Me", "snow"], strict=True))
    if layout == "metadata.jsonl":
        content = "\n".join(json.dumps({"file_name": name, "text": text}) for name, text in texts.items())
    elif layout == "metadata.csv":
        content = "file_name,text\n" + "\n".join(f'{name},"{text}"' for name, text in texts.items())
    elif layout == "captions.txt":
        content = "image,caption\n" + "\n".join(f"{name}, {text}" for name, text in texts.items())
    if layout == "beside":
        for name, text in texts.items():
            (folder / name).with_suffix(".txt").write_text(text + "\n")
    else:
        (folder / layout).write_text(content)
    captions = [work.caption for work in own_works(folder, "Me")]
    assert captions == ["a boat by Me", "the sea, at night by Me", "a hill by Me", "snow by Me"]


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("captions.txt", "a.png a boat\nz.png a ship\n", "names z.png, which is not in the folder"),
        ("captions.txt", "a.png a boat\n", "no caption for b c.jpg and 2 more"),
        ("captions.txt", "a.png a boat\nnothing here\n", "Line 2 of captions.txt is not"),
        ("metadata.jsonl", '{"file_name": "a.png"}\n', "Line 1 of metadata.jsonl lacks"),
        ("metadata.jsonl", "{\n", "Line 1 of metadata.jsonl is not JSON"),
        ("a.txt", "a boat\n", "text files beside the pictures have no caption for b c.jpg"),
        ("f.png", "not a picture", "f.png is not a picture"),
    ],
)
def test_a_folder_that_does_not_fit_is_told_in_a_sentence(folder: Path, file: str, content: str, sentence: str) -> None:
    (folder / file).write_text(content)
    with pytest.raises(UserError, match=sentence):
        own_works(folder, "Me")


def test_too_few_pictures_and_no_name_are_refused(folder: Path) -> None:
    (folder / "a.png").unlink()
    with pytest.raises(UserError, match="There are 3 pictures; a style needs at least 4"):
        own_works(folder, "Me")
    with pytest.raises(UserError, match="The artist needs a name"):
        own_works(folder, " ")
    with pytest.raises(UserError, match="is a file"):
        own_works(folder / "d.png", "Me")
