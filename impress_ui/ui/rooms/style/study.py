"""A study of a style for the page and the API: begun from a name or from files, reported, and packed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.art.artists import ARTISTS, Work, asked_captions, own_works, works
from impress_ui.errors import UserError
from impress_ui.jobs.archive import write_zip
from impress_ui.jobs.style import StyleStudy
from impress_ui.jobs.workflow import describe_result
from impress_ui.measures.classifiers.clip import ClipClassifier, load_clip_classifier
from impress_ui.measures.classifiers.common import ranking
from impress_ui.pictures.images import save_png
from impress_ui.settings import ClassifySettings, JobSettings, ProtectSettings, PurifySettings
from impress_ui.settings.recipes import QUICK_STYLE_PURIFIER, STYLE_GLAZE
from impress_ui.ui.rooms.style import views as style_views
from impress_ui.ui.rooms.style.views import Score

SIDE = 128  # of a work, in pixels, where the working size is not smaller


def quick(job: JobSettings) -> JobSettings:
    """The same with a protection and a purifier for two cores."""
    return job.model_copy(
        update={"protect": ProtectSettings(**STYLE_GLAZE), "purify": PurifySettings(**QUICK_STYLE_PURIFIER)}
    )


def begin(job: JobSettings, artist: str, files: Sequence[str | Path], folder: Path) -> StyleStudy:
    """A study of one of the artists that come along, or of somebody's own pictures.

    Args:
        artist: an artist's name; with files, what captions call their style.
        files: pictures, and captions.txt among them if there is one; a copy is made in ``folder``.

    Raises:
        UserError: no such artist, or files that cannot be used.
    """
    judge = load_clip_classifier(ClassifySettings())
    artist, side = artist.strip(), min(SIDE, job.run.size)
    if files:
        learnt = _own(files, artist, folder, side)[: job.mimic.works]
        judge = judge.with_examples(artist, [work.image for work in learnt])
    elif artist in ARTISTS:
        learnt = works(artist, "train", side=side, seed=job.run.seed)[: job.mimic.works]
    else:
        raise UserError(f"There is no artist {artist[:60]}; choose from {', '.join(ARTISTS)}, or give pictures.")
    return StyleStudy(learnt, asked_captions(artist, job.mimic.imitations), artist, job, judge=judge)


def scores_of(study: StyleStudy) -> dict[str, Score]:
    """How the imitations were judged so far, by the set of works that they were learnt from."""
    judge: ClipClassifier = study.judge  # type: ignore[assignment]
    return {
        name: Score(study.artist, tuple(verdict.best for verdict in ranking(study.scores[name], judge.classes, 1)))
        for name in style_views.VARIANTS
        if name in study.scores
    }


def report_of(study: StyleStudy) -> dict[str, Any]:
    """The shares, the verdict and the settings, as plain data."""
    scores = scores_of(study)
    return {
        "artist": study.artist,
        "scores": {
            name: {"recognised": score.hits, "of": len(score.found), "share": score.share, "taken_for": score.found}
            for name, score in scores.items()
        },
        "verdict": style_views.verdict(scores),
        "losses": dict(study.curves),
        "stopped": not study.finished,
        "settings": study.job.model_dump(mode="json"),
    }


def save_pictures(study: StyleStudy, folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Write every work and imitation that is there, once.

    Returns:
        (path, caption) of each, under "clean-work", "clean-imitation", "protected-work" and so on.
    """
    saved = {}
    titles = [work.caption for work in study.works]
    for variant in style_views.VARIANTS:
        scores = scores_of(study).get(variant)
        saved[f"{variant}-work"] = _save(f"{variant}-work", study.sets[variant], titles, study, folder, ())
        saved[f"{variant}-imitation"] = _save(
            f"{variant}-imitation", study.galleries.get(variant, []), study.captions, study, folder,
            scores.found if scores else (),
        )  # fmt: skip
    return saved


def _save(
    name: str,
    images: Sequence[Image.Image],
    captions: Sequence[str],
    study: StyleStudy,
    folder: Path,
    found: Sequence[str],
) -> list[tuple[str, str]]:
    """Each picture with what made it; an imitation is written again once it was judged, with its verdict.

    The first file stays: a browser may still be fetching it.
    """
    shown = []
    for number, (image, caption) in enumerate(zip(images, captions, strict=False)):
        path = folder / f"{name}-{number:02}{'-judged' if found else ''}.png"
        if not path.exists():
            facts = {"measures": {"taken_for": found[number]}} if found else {}
            save_png(image, path, describe_result(name, study.job, caption=caption, artist=study.artist, **facts))
        shown.append((str(path), caption))
    return shown


def pack(study: StyleStudy, folder: Path) -> Path:
    """Pictures, settings, losses, verdict and adapters of a study; its pictures lie in ``folder`` already."""
    files: dict[str, Path] = {
        f"pictures/{picture.name}": picture
        for kind in ("work", "imitation")
        for picture in sorted(folder.glob(f"*-{kind}-*.png"))
        if not picture.with_stem(f"{picture.stem}-judged").exists()
    }
    for name, tuning in study.tunings.items():
        for file in tuning.save(folder / f"adapter-{name}").iterdir():
            if file.is_file() and file.stem != "progress":
                files[f"adapter-{name}/{file.name}"] = file
    verdict = folder / "verdict.txt"
    verdict.write_text(style_views.verdict(scores_of(study)) + "\n", encoding="utf-8")
    files["verdict.txt"] = verdict
    title = f"A study of the style {study.artist}: protected, purified, imitated and judged"
    curves = {name: values for name, values in study.curves.items() if values}
    return write_zip(folder / "study.zip", title, study.job, files, curves=curves, first_step=1)


def _own(files: Sequence[str | Path], artist: str, folder: Path, side: int) -> list[Work]:
    own = folder / "own"
    own.mkdir()
    for file in map(Path, files):
        if (own / file.name).exists():
            raise UserError(f"Two of the files are named {file.name}; give them different names.")
        shutil.copyfile(file, own / file.name)
    return own_works(own, artist, side=side)
