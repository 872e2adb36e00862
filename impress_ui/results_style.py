"""Saving a study of a style: its pictures with what made them, and all of it as an archive."""

from __future__ import annotations

import csv
import zipfile
from itertools import zip_longest
from pathlib import Path

from PIL import Image

from impress_ui.core import workflow
from impress_ui.core.images import save_png
from impress_ui.core.style import StyleStudy

Files = list[tuple[str, str]]  # (path, caption)


def save_set(study: StyleStudy, variant: str, folder: Path) -> Files:
    """The works of a variant as they were learnt from."""
    return _save(study, f"{variant}-work", study.sets[variant], [work.caption for work in study.works], folder)


def save_gallery(study: StyleStudy, variant: str, folder: Path) -> Files:
    """The imitations learnt from a variant."""
    return _save(study, f"{variant}-imitation", study.galleries.get(variant, []), study.captions, folder)


def save_archive(study: StyleStudy, verdict: str, folder: Path) -> Path:
    """Pictures, settings, losses, verdict and fine-tuned weights of a study, as far as they are there."""
    pictures = [Path(path) for save in (save_set, save_gallery) for name in study.variants
                for path, _ in save(study, name, folder)]  # fmt: skip
    with (folder / "losses.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["step", *study.curves])
        for number, row in enumerate(zip_longest(*study.curves.values(), fillvalue=""), 1):
            writer.writerow([number, *row])
    # Pictures and weights hardly shrink any further, so they are stored as they are.
    with zipfile.ZipFile(folder / "study.zip", "w") as archive:
        archive.writestr("settings.json", study.job.model_dump_json(indent=1) + "\n")
        archive.writestr("verdict.txt", verdict + "\n")
        archive.write(folder / "losses.csv", "losses.csv")
        for picture in pictures:
            archive.write(picture, f"pictures/{picture.name}")
        for name, tuning in study.tunings.items():
            saved = tuning.save(folder / f"adapter-{name}")
            for file in sorted(path for path in saved.rglob("*") if path.is_file() and path.stem != "progress"):
                archive.write(file, file.relative_to(folder))
    return folder / "study.zip"


def _save(study: StyleStudy, kind: str, images: list[Image.Image], captions: list[str], folder: Path) -> Files:
    """Write the pictures that are not in the folder yet. A set grows, so it may have fewer pictures than captions."""
    shown = []
    for number, (image, caption) in enumerate(zip(images, captions, strict=False)):
        path = folder / f"{kind}-{number:02}.png"
        if not path.exists():
            described = workflow.describe_result(kind, study.job, caption=caption, artist=study.artist)
            save_png(image, path, described)
        shown.append((str(path), caption))
    return shown
