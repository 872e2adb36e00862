"""Beginning a study of a style for the page and the API, and reading its judge."""

from __future__ import annotations

import shutil
from pathlib import Path

from impress_ui.core.artists import Work, artist_of, own_works, works
from impress_ui.core.artists.works import photographs_of
from impress_ui.core.classifiers.clip import ClipClassifier, load_clip_classifier
from impress_ui.core.classifiers.common import accuracy, ranking
from impress_ui.core.diffusion_model import load_diffusion_model
from impress_ui.core.errors import UserError
from impress_ui.core.style import StyleStudy
from impress_ui.core.subjects import SUBJECTS, subject_of
from impress_ui.settings import ClassifySettings
from impress_ui.ui.style_plan import Wanted
from impress_ui.ui.style_views import Score


def begin(wanted: Wanted, folder: Path) -> StyleStudy:
    """A new study; the visitor's own pictures are gathered in the folder.

    Raises:
        UserError: no such artist, or pictures or captions that cannot be used.
    """
    job = wanted.job
    artist = wanted.artist if wanted.files else artist_of(wanted.artist).name
    judge = load_clip_classifier(ClassifySettings())
    side = min(job.run.size, load_diffusion_model(job.run).size)
    if wanted.files:
        learnt = _own(wanted, folder, side)
        judge = judge.with_examples(artist, [work.image for work in learnt])
    else:
        learnt = works(artist, "train", side=side, count=wanted.works, seed=job.run.seed)
    return StyleStudy(learnt, _captions(artist, job.mimic.imitations), artist, job, judge=judge)


def scores_of(study: StyleStudy) -> dict[str, Score]:
    """How the classifier judged the imitations of each variant so far."""
    judge: ClipClassifier = study.judge  # type: ignore[assignment]  # what ``begin`` gave it
    told = {}
    for name, scores in study.scores.items():
        share = accuracy(scores, judge.classes, study.artist)
        found = tuple(verdict.best for verdict in ranking(scores, judge.classes, 1))
        told[name] = Score(study.artist, found, share.value, share.standard_error)
    return told


def _own(wanted: Wanted, folder: Path, side: int) -> list[Work]:
    """Uploads lie in folders of their own each; ``own_works`` wants them beside their captions."""
    gathered = folder / "own"
    gathered.mkdir()
    for file in map(Path, wanted.files):
        if (gathered / file.name).exists():
            raise UserError(f"Two of the files are named {file.name}; give them different names.")
        shutil.copyfile(file, gathered / file.name)
    return own_works(gathered, wanted.artist, side=side)[: wanted.job.mimic.works]


def _captions(artist: str, count: int) -> list[str]:
    """What the imitators are asked for: the subjects of the artists' test works, again and again if there are fewer.

    The same caption gives another picture each time, since each has a seed of its own.
    """
    subjects = [SUBJECTS[subject_of(name)][0] for name, _ in photographs_of("test")]
    return [f"{subjects[number % len(subjects)]} by {artist}" for number in range(count)]
