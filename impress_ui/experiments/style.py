"""Can a model imitate an artist from protected works, and from works purified again? The paper's first experiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from impress_ui.art.artists import ARTISTS, asked_captions, works
from impress_ui.experiments.charts import Bars, Chart
from impress_ui.experiments.experiment import Experiment, Record, Run, Sheet, Unit, means_of, whole_model
from impress_ui.experiments.left import purified_by
from impress_ui.experiments.settings import StyleSettings
from impress_ui.jobs.style import StyleStudy, Variant
from impress_ui.jobs.workflow import describe_result
from impress_ui.measures.classifiers.clip import load_clip_classifier
from impress_ui.measures.classifiers.common import accuracy, ranking
from impress_ui.measures.classifiers.diffusion import DiffusionClassifier
from impress_ui.measures.classifiers.jury import load_diffusion_classifier
from impress_ui.measures.grid import distances_to
from impress_ui.measures.metrics import measure
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.pictures.images import save_png
from impress_ui.settings import ClassifySettings, PurifySettings

CLEAN, NONE, PAPER = "clean", "GLAZE", "paper"
JURY = ClassifySettings(method="diffusion")
# What is measured of the works themselves against the clean ones; the last three say what kind of change is left.
WORKS = ("lpips", "ssim", "latent", "colour", "texture")
COLUMNS = {
    "works_latent": "How far the works' latents are from the clean ones', over their length",
    "works_colour": "CIEDE2000 of the works, reduced to 16x16 pixels, to the clean ones",
    "works_texture": "Texture of the works, over the clean ones'",
}
GALLERY = 2  # imitations of each set in the sheet


def variants(settings: StyleSettings, paper: bool = False) -> dict[str, Variant]:
    """The rows of the table: clean, protected, protected works after each purifier, and with a share of the change.

    And clean works after the last purifier: what it takes from a style by itself, without a protection to undo.
    """
    known = {words: purified_by(settings.job, words).purify for words in settings.purifiers}
    last = {words: known[words] for words in settings.purifiers[-1:]}
    purifiers = known | ({PAPER: PurifySettings(recipe=PAPER)} if paper else {})
    return {
        CLEAN: Variant(),
        **{f"{CLEAN}, {words}": Variant(False, purifier) for words, purifier in last.items()},
        NONE: Variant(True),
        **{f"{NONE}, {words}": Variant(True, purifier) for words, purifier in purifiers.items()},
        **{f"{NONE}, {100 * share:g}% of the change": Variant(True, share=share) for share in settings.shares},
        **{
            f"{NONE}, {words}, clean colours": Variant(True, purifier, own_colours=True)
            for words, purifier in last.items()
            if settings.clean_colours
        },
    }


def units(settings: StyleSettings) -> list[Unit]:
    """Each row of each artist; an artist's rows are a group, since they share the protected works."""
    return [
        Unit({"artist": artist, "variant": name}, artist)
        for number, artist in enumerate(list(ARTISTS)[: settings.artists])
        for name in variants(settings, number < settings.paper_artists)
    ]


def run(unit: Unit, run: Run[StyleSettings]) -> list[Record]:
    """The share of the imitations that each classifier takes for the artist, learnt from one variant of the works.

    Works and imitations are kept in the run's folder, too: ``ARTIST/VARIANT/works`` and ``imitations``.
    """
    job, artist, name = run.settings.job, unit.key["artist"], unit.key["variant"]
    made = works(artist, "train", count=job.mimic.works, seed=job.run.seed)
    captions = asked_captions(artist, job.mimic.imitations)
    judge = load_clip_classifier(ClassifySettings())
    chosen = {name: variants(run.settings, paper=True)[name]}
    study = StyleStudy(made, captions, artist, job, judge=judge, variants=chosen, keep_models=False)
    protected = run.folder.records(_name(artist, NONE))
    if study.variants[name].protected and protected:
        study.style, study.protected = protected[0]["target"], _pictures(run, artist, NONE, "works")
    phase = None
    for step in study.run():
        if step.phase != phase:
            phase = step.phase
            run.log(f"{artist}, {name}: {phase}")
    _keep(run, study, name)
    return [_figures(study, name, load_diffusion_classifier(JURY, job.run), load_autoencoder(job.run))]


def table(settings: StyleSettings, records: list[Record]) -> list[Record]:
    """Means over the artists: all imitations of one go together, so that they are no independent sample."""
    told = ("clip_accuracy", "clip_accuracy_se", "diffusion_accuracy", "diffusion_accuracy_se")
    columns = ("clip_accuracy", "diffusion_accuracy", *WORKS)
    return [
        {
            "works": row["variant"],
            "artists": row["artists"],
            "imitations": sum(record["imitations"] for record in records if record["variant"] == row["variant"]),
            **{name: row[name] for name in told},
            **{f"works_{name}": row[name] for name in WORKS},
        }
        for row in means_of(records, ("variant",), columns, count="artists")
    ]


def sheets(run: Run[StyleSettings], rows: list[Record]) -> list[Sheet]:
    """A row for each artist: a work and some imitations, clean, protected, and by the first and the last purifiers."""
    chosen = (*run.settings.purifiers[:1], *run.settings.purifiers[1:][-2:])
    shown = (CLEAN, NONE, *(f"{NONE}, {words}" for words in chosen))
    imitations = min(GALLERY, run.settings.mimic.imitations)
    labels = [label for name in shown for label in (f"work: {name}", *["imitation"] * imitations)]
    made = {}
    for artist in list(ARTISTS)[: run.settings.artists]:
        if all(run.folder.records(_name(artist, name)) for name in shown):
            made[artist] = [
                picture
                for name in shown
                for kind, count in (("works", 1), ("imitations", imitations))
                for picture in _pictures(run, artist, name, kind)[:count]
            ]
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


def _figures(study: StyleStudy, name: str, jury: DiffusionClassifier, autoencoder: Autoencoder) -> Record:
    """The row of one variant of one artist."""
    pairs = [(image, work.image) for image, work in zip(study.sets[name], study.works, strict=True)]
    scores = study.scores[name]
    likeness = [measure(*pair).as_dict() for pair in pairs]
    verdicts = ranking(scores, study.judge.classes, 1)
    others = [verdict.best for verdict in verdicts]
    errors = jury.scores(study.galleries[name])
    return {
        "target": study.style,
        "clip_accuracy": accuracy(scores, study.judge.classes, study.artist).value,
        "diffusion_accuracy": accuracy(errors, jury.classes, study.artist).value,
        "imitations": len(verdicts),
        "taken_for": max(sorted(set(others)), key=others.count),
        "final_loss": float(np.mean(study.curves[name][-20:])),
        "lpips": float(np.mean([row["lpips"] for row in likeness])),
        "ssim": float(np.mean([row["ssim"] for row in likeness])),
        "latent": float(np.mean([distances_to(work, autoencoder)(image) for image, work in pairs])),
        "colour": float(np.mean([colour_difference(*pair) for pair in pairs])),
        "texture": float(np.mean([texture_ratio(*pair) for pair in pairs])),
    }


def colour_difference(image: Image.Image, reference: Image.Image) -> float:
    """Mean CIEDE2000 difference of two pictures, each reduced to 16x16 pixels: what is left of them without texture."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    small = [rgb2lab(each.resize((16, 16), Image.Resampling.BOX)) for each in (image, reference)]
    return float(np.mean(deltaE_ciede2000(*small)))


def texture_ratio(image: Image.Image, reference: Image.Image) -> float:
    """Mean absolute difference of neighbouring grey levels, over the reference's: 1 where there is as much texture."""
    grain = [
        sum(float(np.abs(np.diff(np.asarray(each.convert("L"), dtype=float), axis=axis)).mean()) for axis in (0, 1))
        for each in (image, reference)
    ]
    return grain[0] / max(grain[1], 1e-6)


def _keep(run: Run[StyleSettings], study: StyleStudy, name: str) -> None:
    for kind, pictures in (("works", study.sets[name]), ("imitations", study.galleries[name])):
        place = _place(run, study.artist, name, kind)
        place.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(pictures):
            about = describe_result(kind, study.job, artist=study.artist, variant=name)
            save_png(picture, place / f"{number:02}.png", about)


def _pictures(run: Run[StyleSettings], artist: str, name: str, kind: str) -> list[Image.Image]:
    """What a finished unit has kept, in order."""
    kept = []
    for file in sorted(_place(run, artist, name, kind).glob("*.png"), key=lambda file: (len(file.stem), file.stem)):
        with Image.open(file) as image:
            kept.append(image.convert("RGB"))
    return kept


def _place(run: Run[StyleSettings], artist: str, name: str, kind: str) -> Path:
    return run.folder.path / artist / _slug(name) / kind


def _name(artist: str, variant: str) -> str:
    return Unit({"artist": artist, "variant": variant}, artist).name


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
    table,
    charts,
    sheets,
    checkpoints=whole_model,
    facts=_facts,
    extent=("artists", "paper_artists"),
    columns=COLUMNS,
)
