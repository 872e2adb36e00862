"""Does what was made on one autoencoder hold on another? Protect on A, purify with B, look with C.

A is also several autoencoders at once (``methods/attacks/ensemble.py``): all of them, and all but each, which tells
whether what misleads the others misleads the one that was left out. A is also "none", a clean picture: what the
purifiers do to any picture, protected or not. B is also "none".

Every figure of a row is C's: how far the picture's latent is from the original's in C's encoder (``latent``, over
||E_C(original)||), the share of the protected picture's own distance there that the purification leaves (``left``), and
mean((V_C(x) - x)^2). None of them needs a denoiser. The edit does, and a denoiser fits the latents of one autoencoder
alone: so it is made for C = embedded only, and is unknown in all other rows.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from impress_ui.errors import UserError
from impress_ui.experiments.charts import Chart, HeatMap
from impress_ui.experiments.experiment import WHOLE_MODEL, Experiment, PictureRow, Record, Run, Sheet, Unit, means_of
from impress_ui.experiments.pictures import edited, picture_of, prompt_of
from impress_ui.experiments.settings import TransferSettings
from impress_ui.measures.grid import distances_to
from impress_ui.measures.metrics import lpips, measure, round_trip_error
from impress_ui.measures.stress_rows import NOTHING, share_left
from impress_ui.methods.protect import protect
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.methods.purify import needs_model, purify
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import EMBEDDED, RunSettings

NONE = "none"  # no protection, or no purifier
COLUMNS = {
    "latent": "Latent distance to the original, in C's encoder",
    "left": "Share left of the protected picture's own",
    "round_trip_error": "mean (V_C(x) − x)²",
    "lpips": "LPIPS to the original",
    "edit_ssim": "SSIM of the edit against the clean edit",
}
ONLY_EMBEDDED = "the edit is made by the embedded model alone: a denoiser fits one autoencoder's latents"


def names_of(settings: TransferSettings) -> dict[str, str]:
    """Checkpoint by short name, the embedded one first: a folder's last part, numbered where two are alike.

    Raises:
        UserError: no second checkpoint, another one than the embedded in its place, or a method that needs more than
            an autoencoder.
    """
    if settings.run.checkpoint != EMBEDDED:
        raise UserError("In a transfer the embedded checkpoint is always there; name the others by --checkpoints.")
    if not set(settings.checkpoints) - {EMBEDDED}:
        raise UserError("A transfer needs checkpoints beside the embedded one: name their folders by --checkpoints.")
    allowed = sorted(name for name, protection in PROTECTIONS.items() if protection.many_encoders)
    if settings.protect.method not in allowed or needs_model(settings.purify):
        raise UserError(
            "A transfer protects and purifies with autoencoders alone: "
            f"protect by {' or '.join(allowed)}, and purify by IMPRESS or a filter."
        )
    if settings.protect.others:
        raise UserError("A transfer protects on every set of its checkpoints; name them by --checkpoints, not by also.")
    named: dict[str, str] = {}
    for checkpoint in dict.fromkeys((EMBEDDED, *settings.checkpoints)):
        stem, number = Path(checkpoint).name or checkpoint, 2
        name = stem
        while name in (*named, NONE):
            name, number = f"{stem}-{number}", number + 1
        named[name] = checkpoint
    return named


def protectors_of(settings: TransferSettings) -> dict[str, tuple[str, ...]]:
    """What is protected on, by its name in the tables: each alone, all but each, and all together."""
    names = tuple(names_of(settings))
    sets = [(name,) for name in names]
    if len(names) > 2:
        sets += [tuple(other for other in names if other != name) for name in reversed(names)]
    return {" + ".join(several): several for several in (*sets, names)}


def units(settings: TransferSettings) -> list[Unit]:
    """Each photograph, clean and protected on each autoencoder."""
    return [
        Unit({"photograph": name, "protect": protector}, name)
        for name in settings.names
        for protector in (NONE, *protectors_of(settings))
    ]


def run(unit: Unit, run: Run[TransferSettings]) -> list[Record]:
    """One photograph protected on one autoencoder: after each purifier, as each autoencoder sees it."""
    name, protector, settings = unit.key["photograph"], unit.key["protect"], run.settings
    autoencoders = _loaded(tuple(names_of(settings).items()), settings.run)
    original = run.original(name)
    pictures = _pictures(name, protector, original, autoencoders, run)
    edit_ssim: dict[str, float | None] = dict.fromkeys(pictures)
    if settings.edits:
        job, prompt = settings.job, prompt_of(name, settings)
        goal = edited(f"{name} {NONE} {NONE}", original, job, run, prompt)
        for purifier, picture in pictures.items():
            made = edited(f"{name} {protector} {purifier}", picture, job, run, prompt)
            edit_ssim[purifier] = measure(made, goal).ssim
    lost = {purifier: lpips(picture, original) for purifier, picture in pictures.items()}
    records: list[Record] = []
    for viewer, autoencoder in autoencoders.items():
        distance = distances_to(original, autoencoder)
        reference = distance(pictures[NONE])
        for purifier, picture in pictures.items():
            latent = distance(picture)
            records.append(
                {
                    "purify": purifier,
                    "see": viewer,
                    "latent": latent,
                    "left": share_left(latent, reference, 0.0, NOTHING["latent"]),
                    "round_trip_error": round_trip_error(to_tensor(picture, autoencoder.device), autoencoder).item(),
                    "lpips": lost[purifier],
                    "edit_ssim": edit_ssim[purifier] if viewer == EMBEDDED else None,
                }
            )
    return records


def _pictures(
    name: str, protector: str, original: Image.Image, autoencoders: Mapping[str, Autoencoder], run: Run
) -> dict[str, Image.Image]:
    """By purifier: the picture that the protector made (the original itself for none), and each purification of it."""
    settings, seed = run.settings, run.settings.run.seed

    def protected() -> Image.Image:
        autoencoder, *others = (autoencoders[one] for one in protectors_of(settings)[protector])
        x = to_tensor(original, autoencoder.device)
        return picture_of(protect(x, settings.protect, autoencoder, seed=seed, others=others))

    def purified(picture: Image.Image, autoencoder: Autoencoder) -> Image.Image:
        x = to_tensor(picture, autoencoder.device)
        return picture_of(purify(x, settings.purify, autoencoder, seed=seed))

    first = original if protector == NONE else run.picture(_key(name, protector, NONE), protected)
    made = {
        purifier: run.picture(_key(name, protector, purifier), functools.partial(purified, first, autoencoder))
        for purifier, autoencoder in autoencoders.items()
    }
    return {NONE: first, **made}


def table(settings: TransferSettings, records: list[Record]) -> list[Record]:
    """Means over the photographs."""
    return means_of(records, ("protect", "purify", "see"), COLUMNS)


def charts(settings: TransferSettings, rows: list[Record], records: list[Record]) -> list[Chart]:
    """Matrices: A over C without a purifier; and for each C, A over B, as shares left and as distances."""
    names, protectors = list(names_of(settings)), list(protectors_of(settings))
    everything, by = [NONE, *names], "purified with B"
    seen = {(row["protect"], row["see"]): row["latent"] for row in rows if row["purify"] == NONE}
    title = "Latent distance, protected on A and seen by C"
    drawn: list[Chart] = [_matrix("strength", title, "seen by C", protectors, names, seen)]
    for viewer in names:
        ours = {(row["protect"], row["purify"]): row for row in rows if row["see"] == viewer}
        left = {place: row["left"] for place, row in ours.items()}
        title = f"Protection left, as {viewer} sees it"
        drawn.append(_matrix(f"left_{viewer}", title, by, protectors, names, left, ".0%"))
        latent = {place: row["latent"] for place, row in ours.items()}
        title = f"Latent distance to the original, as {viewer} sees it"
        drawn.append(_matrix(f"latent_{viewer}", title, by, [NONE, *protectors], everything, latent))
    if settings.edits:
        edits = {(row["protect"], row["purify"]): row["edit_ssim"] for row in rows if row["see"] == EMBEDDED}
        title = "SSIM of the embedded model's edit against the clean edit"
        drawn.append(_matrix("edit_ssim", title, by, [NONE, *protectors], everything, edits))
    return drawn


def _matrix(
    name: str,
    title: str,
    x: str,
    ys: list[str],
    xs: list[str],
    values: Mapping[tuple[str, str], float | None],
    form: str = ".2f",
) -> HeatMap:
    grid = [[values.get((y, at)) for at in xs] for y in ys]
    return HeatMap(re.sub(r"[^A-Za-z0-9_-]+", "-", name), title, x, "protected on A", xs, ys, grid, form)


def sheets(run: Run[TransferSettings], rows: list[Record]) -> list[Sheet]:
    """The first photographs: protected on each autoencoder, and purified with each."""
    names = list(names_of(run.settings))
    places = [(protector, purifier) for protector in protectors_of(run.settings) for purifier in (NONE, *names)]
    labels = [f"on {a}" if b == NONE else f"on {a}, purified with {b}" for a, b in places]

    def pictures(name: str) -> PictureRow:
        return [run.original(name), *(run.kept(_key(name, *place)) for place in places)]

    return run.sheet("pictures", ["clean", *labels], pictures)


@functools.lru_cache(maxsize=1)
def _loaded(named: tuple[tuple[str, str], ...], run: RunSettings) -> dict[str, Autoencoder]:
    """All of them in memory for the whole run: the usual cache holds two."""
    return {name: load_autoencoder(run.model_copy(update={"checkpoint": checkpoint})) for name, checkpoint in named}


def _key(name: str, protector: str, purifier: str) -> str:
    return f"{name} protected on {protector}, purified with {purifier}"


def _checkpoints(settings: TransferSettings) -> dict[str, Sequence[str]]:
    return {c: WHOLE_MODEL if settings.edits and c == EMBEDDED else ("vae",) for c in names_of(settings).values()}


TRANSFER = Experiment(
    "transfer",
    "Whether what was made on one autoencoder holds on another: protected on A, purified with B, seen by C. Every "
    "figure is C's own and needs no denoiser, but for the edit: a denoiser fits the latents of one autoencoder alone, "
    "so the edit is the embedded model's, and unknown where C is another. Protected on none: the clean picture.",
    TransferSettings,
    units,
    run,
    table,
    charts,
    sheets,
    extent=("photographs",),
    checkpoints=_checkpoints,
    facts=lambda settings, records: {"size": settings.run.size, **({"edits": ONLY_EMBEDDED} if settings.edits else {})},
    columns=COLUMNS,
)
