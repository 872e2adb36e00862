"""Can a model imitate an artist from protected works, and from works purified again? The paper's first experiment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from impress_ui.core.artists import ARTISTS, asked_captions, works
from impress_ui.core.classifiers.clip import ClipClassifier, load_clip_classifier
from impress_ui.core.classifiers.common import Accuracy, accuracy, ranking
from impress_ui.core.classifiers.diffusion import DiffusionClassifier
from impress_ui.core.classifiers.jury import load_diffusion_classifier
from impress_ui.core.errors import UserError
from impress_ui.core.experiments.charts import Bars, Chart
from impress_ui.core.experiments.experiment import WHOLE_MODEL, Experiment, Record, Run, Sheet, Unit
from impress_ui.core.experiments.purifiers import name_of
from impress_ui.core.images import save_png
from impress_ui.core.metrics import measure
from impress_ui.core.style import StyleStudy, Variant
from impress_ui.core.workflow import describe_result
from impress_ui.settings import ClassifySettings, JobSettings, PurifySettings
from impress_ui.settings.experiments import StyleSettings

# The published baselines (JPEG 15, noise .1, resize to a half), and each kind of control at what it does best here.
CONTROLS = (
    PurifySettings(method="jpeg", jpeg_quality=15),
    PurifySettings(method="noise", noise_std=0.1),
    PurifySettings(method="resize", resize_factor=0.5),
    PurifySettings(method="non-local-means", denoise_weight=0.08),
)
FAST = PurifySettings(recipe="fast-style")
# A gentle denoising takes what the protection has put into flat areas; IMPRESS takes the rest.
CHAIN = PurifySettings(method="chain", chain=("non-local-means 0.05", "fast-style"))
CLEAN, NONE = "clean", "GLAZE"
JURY = ClassifySettings(method="diffusion")
GALLERY = 2  # imitations of each set in the sheet


def variants(paper: bool = False) -> dict[str, Variant]:
    """The rows of the table: clean, protected, and protected works after each purifier."""
    purifiers = (*CONTROLS, FAST, CHAIN, *([PurifySettings(recipe="paper")] if paper else []))
    return {
        CLEAN: Variant(),
        NONE: Variant(True),
        **{f"{NONE}, {name_of(settings)}": Variant(True, settings) for settings in purifiers},
    }


def units(settings: StyleSettings) -> list[Unit]:
    """An artist each."""
    chosen = list(ARTISTS)[: settings.artists]
    return [Unit({"artist": artist}, artist, {"number": number}) for number, artist in enumerate(chosen)]


def run(unit: Unit, run: Run[StyleSettings]) -> list[Record]:
    """Records clean, GLAZE, GLAZE and each purifier; the share of imitations that each classifier takes for the artist.

    An artist's works and imitations are kept in the run's folder, too.
    """
    job, artist = run.settings.job, unit.key["artist"]
    paper = unit.facts["number"] < run.settings.paper_artists
    folder = run.folder.path / artist
    kept = _kept(folder, job, paper)
    if kept is None:
        study = _study(artist, job, load_clip_classifier(ClassifySettings()), paper, run)
        kept = _figures(study, load_diffusion_classifier(JURY, job.run))
        _keep(folder, study, kept, job, paper)
    return kept


def sheets(run: Run[StyleSettings], rows: list[Record]) -> list[Sheet]:
    """A row for each artist: one of the works and some imitations, clean, protected, best control and purified."""
    shown = (CLEAN, NONE, *(f"{NONE}, {name_of(settings)}" for settings in (CONTROLS[0], FAST, CHAIN)))
    imitations = min(GALLERY, run.settings.mimic.imitations)
    labels = [label for name in shown for label in (f"work: {name}", *["imitation"] * imitations)]
    made = {}
    for unit in units(run.settings):
        artist = unit.key["artist"]
        folder = run.folder.path / artist
        line = [image for name in shown for image in _gallery(folder, name)] if folder.is_dir() else []
        if len(line) == len(labels):
            made[artist] = line
    return [Sheet("works", labels, list(made.values()), width=128, names=list(made))] if made else []


def charts(settings: StyleSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """How often each classifier takes the imitations for the artist."""
    return [
        Bars(
            kind, f"Imitations taken for the artist by the {kind} classifier", "share, with its standard error",
            [(row["works"], row[f"{kind}_accuracy"], row[f"{kind}_accuracy_se"]) for row in rows], percent=True,
        )
        for kind in ("clip", "diffusion")
    ]  # fmt: skip


def _study(artist: str, job: JobSettings, judge: ClipClassifier, paper: bool, run: Run) -> StyleStudy:
    made = works(artist, "train", count=job.mimic.works, seed=job.run.seed)
    captions = asked_captions(artist, job.mimic.imitations)
    study = StyleStudy(made, captions, artist, job, judge=judge, variants=variants(paper), keep_models=False)
    phase = None
    for step in study.run():
        if (step.phase, step.variant) != phase:
            phase = step.phase, step.variant
            run.log(f"{artist}: {step.phase} {step.variant}".rstrip())
    return study


def _figures(study: StyleStudy, jury: DiffusionClassifier) -> list[Record]:
    """A row for each variant of one artist."""
    rows = []
    for name, scores in study.scores.items():
        likeness = [
            measure(image, work.image).as_dict() for image, work in zip(study.sets[name], study.works, strict=True)
        ]
        verdicts = ranking(scores, study.judge.classes, 1)
        others = [verdict.best for verdict in verdicts]
        errors = jury.scores(study.galleries[name])
        rows.append(
            {
                "artist": study.artist,
                "target": study.style,
                "variant": name,
                "clip_accuracy": accuracy(scores, study.judge.classes, study.artist).value,
                "diffusion_accuracy": accuracy(errors, jury.classes, study.artist).value,
                "imitations": len(verdicts),
                "taken_for": max(sorted(set(others)), key=others.count),
                "final_loss": float(np.mean(study.curves[name][-20:])),
                "lpips": float(np.mean([row["lpips"] for row in likeness])),
                "ssim": float(np.mean([row["ssim"] for row in likeness])),
            }
        )
    return rows


def _means(records: Sequence[Record]) -> list[Record]:
    """Over all imitations of all artists that a variant was run on."""
    rows = []
    for name in dict.fromkeys(record["variant"] for record in records):
        ours = [record for record in records if record["variant"] == name]
        count = sum(record["imitations"] for record in ours)
        clip, diffusion = (
            Accuracy(sum(record[f"{kind}_accuracy"] * record["imitations"] for record in ours) / count, count, 1)
            for kind in ("clip", "diffusion")
        )
        rows.append(
            {
                "works": name,
                "artists": len(ours),
                "imitations": count,
                "clip_accuracy": clip.value,
                "clip_accuracy_se": clip.standard_error,
                "diffusion_accuracy": diffusion.value,
                "diffusion_accuracy_se": diffusion.standard_error,
                "works_lpips": float(np.mean([record["lpips"] for record in ours])),
                "works_ssim": float(np.mean([record["ssim"] for record in ours])),
            }
        )
    return rows


def _made_with(job: JobSettings, paper: bool) -> Record:
    return {"settings": job.model_dump(mode="json"), "variants": list(variants(paper))}


def _keep(folder: Path, study: StyleStudy, rows: list[Record], job: JobSettings, paper: bool) -> None:
    for name in study.variants:
        for kind, pictures in (("works", study.sets[name]), ("imitations", study.galleries[name])):
            place = folder / _slug(name) / kind
            place.mkdir(parents=True, exist_ok=True)
            for number, picture in enumerate(pictures):
                about = describe_result(kind, job, artist=study.artist, variant=name)
                save_png(picture, place / f"{number:02}.png", about)
    # Last, and in one step: what is there is whole.
    draft = folder / "figures.json.new"
    draft.write_text(json.dumps({**_made_with(job, paper), "rows": rows}, indent=1) + "\n")
    draft.replace(folder / "figures.json")


def _kept(folder: Path, job: JobSettings, paper: bool) -> list[Record] | None:
    """The figures of an earlier run with the same settings."""
    try:
        saved = json.loads((folder / "figures.json").read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise UserError(f"{folder / 'figures.json'} cannot be read; take it away or choose another folder.") from None
    made_with = _made_with(job, paper)
    return saved["rows"] if {name: saved.get(name) for name in made_with} == made_with else None


def _gallery(folder: Path, name: str) -> list[Image.Image]:
    place = folder / _slug(name)
    files = [place / "works" / "00.png", *sorted((place / "imitations").glob("*.png"))[:GALLERY]]
    return [Image.open(file).convert("RGB") for file in files]


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").replace("--", "-")


def _facts(settings: StyleSettings, records: list[Record]) -> Record:
    job = settings.job
    return {
        "artists": len({record["artist"] for record in records}),
        "works": job.mimic.works,
        "imitations": job.mimic.imitations,
        "tuning_steps": job.mimic.steps,
        "glaze_steps": job.protect.steps,
    }


STYLE = Experiment(
    "style",
    "Whether a model can imitate an artist from protected works, and from works purified again.",
    StyleSettings,
    units,
    run,
    lambda settings, records: _means(records),
    charts,
    sheets,
    checkpoints=lambda settings: {settings.run.checkpoint: WHOLE_MODEL},
    facts=_facts,
)
