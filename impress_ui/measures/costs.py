"""What runs cost: the work in them, and the seconds that this machine takes for it, as measured."""

from __future__ import annotations

import time

from PIL import Image

from impress_ui.methods.optimise import ShouldStop, never, run_to_end
from impress_ui.methods.protect import needs_model, protect
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.methods.protections.protection import UNSEEN
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.pictures.images import to_tensor
from impress_ui.settings import ProtectSettings, PurifySettings
from impress_ui.settings.purify import CHAIN, parts_of

# Seconds that a unit of work took in the last run of each sort: what every estimate is made of.
PACE: dict[str, float] = {}


def note_pace(sort: str, seconds: float) -> None:
    """Keep what a unit of work of a sort took."""
    PACE[sort] = seconds


def sort_of(settings: PurifySettings) -> str:
    """Runs of one sort have one pace, whatever their length."""
    return settings.method if settings.method == CHAIN else PURIFIERS[settings.method].pace(settings)


def pixels_of(settings: PurifySettings, size: tuple[int, int]) -> float:
    """The pixels that one step computes for a picture of (width, height)."""
    return float(size[0] * size[1]) if settings.method == CHAIN else PURIFIERS[settings.method].pixels(settings, size)


def expected_seconds(settings: PurifySettings, size: tuple[int, int]) -> float | None:
    """Seconds that a purification is going to take; None where one of its parts was never measured here.

    A classical filter that was never measured counts nothing: it takes a fraction of a second.
    """
    total = 0.0
    for part in parts_of(settings):
        purifier = PURIFIERS[part.method]
        known = PACE.get(sort_of(part), None if purifier.probe else 0.0)
        if known is None:
            return None
        total += known * _units(part, size)
    return total


def remember(settings: PurifySettings, size: tuple[int, int], seconds: float) -> None:
    """Keep the pace of a run of one purifier that went to its end."""
    if settings.method != CHAIN:
        PACE[sort_of(settings)] = seconds / _units(settings, size)


def measure_pace(
    purifiers: list[PurifySettings],
    image: Image.Image,
    autoencoder: Autoencoder,
    model: DiffusionModel | None,
    should_stop: ShouldStop = never,
) -> None:
    """Run a step of every sort whose pace is not known yet."""
    for part in (part for settings in purifiers for part in parts_of(settings)):
        if should_stop():
            return
        purifier = PURIFIERS[part.method]
        if purifier.probe is None or sort_of(part) in PACE:
            continue
        probe = part.model_copy(update=purifier.probe(part))
        side = purifier.probe_side or max(image.size)
        piece = image.crop((0, 0, min(side, image.width), min(side, image.height)))
        purifier.ready(probe, autoencoder)  # loads what it needs, which is no pace
        began = time.monotonic()
        run_to_end(purify(to_tensor(piece, autoencoder.device), probe, autoencoder, model=model))
        remember(probe, piece.size, time.monotonic() - began)


def _units(settings: PurifySettings, size: tuple[int, int]) -> float:
    purifier = PURIFIERS[settings.method]
    return purifier.pixels(settings, size) * max(1, purifier.steps(settings) + purifier.overhead)


def attack_of(settings: ProtectSettings, size: tuple[int, int]) -> tuple[str, float]:
    """A protection's sort, and the pixels that one of its steps computes for a picture of (width, height)."""
    pixels = float(size[0] * size[1]) * PROTECTIONS[settings.method].passes(settings)
    if ProtectSettings.has("repetitions", settings.method):
        pixels *= settings.repetitions
    if settings.robust_to:
        pixels *= 1 + settings.draws
    besides = f", also {', '.join(settings.others)}" if settings.others else ""
    return f"{settings.method}, adaptive: {settings.adaptive}{besides}", pixels * (1 + len(settings.others))


def expected_protection(settings: ProtectSettings, size: tuple[int, int]) -> float | None:
    """Seconds that a protection's steps are going to take; None where none of its sort was run here."""
    sort, pixels = attack_of(settings, size)
    return PACE[sort] * pixels * settings.steps if sort in PACE else None


def remember_protection(settings: ProtectSettings, size: tuple[int, int], seconds: float) -> None:
    """Keep the pace of a protection that took so many seconds from its first step to its last."""
    sort, pixels = attack_of(settings, size)
    if settings.steps > 1 and seconds > 0:
        PACE[sort] = seconds / (pixels * (settings.steps - 1))


def measure_protection_pace(settings: ProtectSettings, image: Image.Image, autoencoder: Autoencoder) -> None:
    """Run three steps of a protection whose pace is not known yet, unless it needs more than the autoencoder."""
    if expected_protection(settings, image.size) is not None or needs_model(settings, target=False):
        return
    # Without what it has no mask and no other encoders for.
    alone = {"also": "", "budget": min(settings.budget, UNSEEN)}
    probe = settings.model_copy(update={"steps": 3, "target": "zero", **alone})
    times = [time.monotonic() for _ in protect(to_tensor(image, autoencoder.device), probe, autoencoder)]
    remember_protection(probe.model_copy(update={"steps": len(times)}), image.size, times[-1] - times[0])
