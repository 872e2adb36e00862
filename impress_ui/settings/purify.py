"""The purifiers' settings: which one, and the few fields that each of them has."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from impress_ui.settings.base import knob, sentence_of
from impress_ui.settings.impress import ImpressSettings

PurifyMethod = Literal[
    "impress",
    "round-trip",
    "jpeg",
    "noise",
    "resize",
    "total-variation",
    "non-local-means",
    "blur",
    "median",
    "bilateral",
    "quantise",
    "crop-resize",
    "sdedit",
    "gridpure",
    "chain",
]


# Which fields are a method's own: the page shows no others. The first is the one that tells its rows apart.
KNOBS: dict[PurifyMethod, tuple[str, ...]] = {
    "impress": tuple(ImpressSettings.model_fields),
    "round-trip": ("round_trips",),
    "jpeg": ("jpeg_quality",),
    "noise": ("noise_std",),
    "resize": ("resize_factor",),
    "total-variation": ("denoise_weight",),
    "non-local-means": ("denoise_weight",),
    "blur": ("blur_sigma",),
    "median": ("median_radius",),
    "bilateral": ("bilateral_colour", "bilateral_space"),
    "quantise": ("colours",),
    "crop-resize": ("crop_share",),
    "sdedit": ("sdedit_strength", "sdedit_steps"),
    "gridpure": ("grid_rounds", "grid_strength", "grid_tile", "grid_blend"),
    "chain": ("chain",),
}


def checked_steps(given: Any) -> Any:
    """A chain's steps, each in the words that ``purifier_of`` understands; text is split at commas, 'then' and '+'."""
    steps = re.split(r"\bthen\b|[,+]", given) if isinstance(given, str) else given
    if not isinstance(steps, (list, tuple)) or not all(isinstance(step, str) for step in steps):
        return given
    words = tuple(words_of(purifier_of(step)) for step in steps if step.strip())
    if not words or any(" then " in step for step in words):
        raise PydanticCustomError("chain", "a chain is a list of purifiers such as 'jpeg 40, then fast'")
    return words


class PurifySettings(ImpressSettings):
    """IMPRESS, the purifiers that it must beat, and chains of them."""

    picker: ClassVar = "method"
    fields_of: ClassVar = KNOBS

    method: PurifyMethod = knob(
        "impress",
        "IMPRESS, or what it must beat: autoencoder round trip, classical filters, purification by the diffusion "
        "model itself (SDEdit, GrIDPure), or a chain of them.",
        label="Purifier",
    )
    jpeg_quality: int = knob(40, "Quality of the JPEG control.", label="JPEG quality", step=1, ge=1, le=100)
    noise_std: float = knob(
        0.05,
        "Deviation of the Gaussian noise control, in the [0, 1] pixel range.",
        label="Noise deviation",
        step=0.01,
        ge=0,
        le=0.5,
    )
    resize_factor: float = knob(
        0.5,
        "Factor by which the resize control shrinks the picture before enlarging it again.",
        label="Resize factor",
        step=0.05,
        ge=0.1,
        le=1,
    )
    round_trips: int = knob(
        1, "How many times the round-trip control passes the autoencoder.", label="Round trips", step=1, ge=1, le=10
    )
    denoise_weight: float = knob(
        0.05,
        "Strength of the two denoising controls: total variation's weight, non-local means' cut-off.",
        label="Denoiser strength",
        step=0.01,
        ge=0.01,
        le=0.5,
    )
    blur_sigma: float = knob(
        1.0, "Deviation of the Gaussian blur, in pixels.", label="Blur deviation", step=0.1, ge=0.1, le=10
    )
    median_radius: int = knob(1, "Radius of the median's disk, in pixels.", label="Median radius", step=1, ge=1, le=10)
    bilateral_colour: float = knob(
        0.05,
        "How far apart two colours may be to be averaged, as a deviation in the [0, 1] pixel range.",
        label="Bilateral colour",
        step=0.01,
        ge=0.01,
        le=1,
    )
    bilateral_space: float = knob(
        2.0,
        "How far apart two pixels may be to be averaged, as a deviation in pixels.",
        label="Bilateral space",
        step=0.5,
        ge=0.5,
        le=10,
    )
    colours: int = knob(
        32, "Colours of the palette that the quantisation leaves, without dithering.", label="Palette colours", step=1,
        ge=2, le=256,
    )  # fmt: skip
    crop_share: float = knob(
        0.9,
        "Share of each side that a centred crop keeps before it is enlarged again; it shifts the content.",
        label="Crop share",
        step=0.05,
        ge=0.5,
        le=1,
    )
    sdedit_strength: float = knob(
        0.2,
        "How much of the picture SDEdit gives up before the diffusion model, without a prompt, paints it again.",
        label="SDEdit strength",
        step=0.05,
        ge=0.05,
        le=1,
    )
    sdedit_steps: int = knob(
        20, "Sampling steps of a full denoising; of these the strength's share is run.", label="SDEdit steps", step=1,
        ge=1, le=250,
    )  # fmt: skip
    grid_rounds: int = knob(
        4,
        "How many times GrIDPure goes over the picture; 20 in the paper, whose model is not behind an autoencoder.",
        label="Grid rounds",
        step=1,
        ge=1,
        le=50,
    )
    grid_strength: float = knob(
        0.05,
        "How much of a tile each round gives up; one sampling step is taken for it.",
        label="Grid strength",
        step=0.05,
        ge=0.05,
        le=0.5,
    )
    grid_tile: int = knob(
        128, "Side of the tiles, in pixels; they overlap by half.", label="Grid tile", step=64, ge=64, le=512,
        multiple_of=64,
    )  # fmt: skip
    grid_blend: float = knob(
        0.1, "Share of a round's input in its result.", symbol="γ", label="Grid blend", step=0.05, ge=0, le=0.9
    )
    chain: Annotated[tuple[str, ...], BeforeValidator(checked_steps)] = knob(
        ("jpeg 40", "fast"),
        "Purifiers one after the other, as 'jpeg 40, then fast': a method or a recipe, its first setting as a number, "
        "others as name=value; what is not given has its default.",
        label="Chain",
    )


# The quick ones that stand beside every purification; the stress test has all.
CONTROLS: tuple[PurifyMethod, ...] = (
    "round-trip", "jpeg", "noise", "resize", "total-variation", "non-local-means",
)  # fmt: skip
# Those that run the denoiser too, not the autoencoder alone.
GENERATIVE: frozenset[PurifyMethod] = frozenset({"sdedit", "gridpure"})


def purifier_of(text: str) -> PurifySettings:
    """The settings that a few words stand for: 'jpeg', 'jpeg 40', 'paper steps=300', 'jpeg 40, then fast'.

    A recipe's name is IMPRESS with that recipe, and a number after it its steps.

    Raises:
        PydanticCustomError: no such purifier or setting, or a value out of its range.
    """
    parts = [part.strip(" ,") for part in re.split(r"\bthen\b|\+", text)]
    if len(parts) > 1:
        return _built("the chain", {"method": "chain", "chain": parts})
    name, *settings = parts[0].split() or [""]
    recipes = PurifySettings.choices
    methods = [method for method in KNOBS if method != "chain"]
    if name not in recipes and name not in methods:
        known = ", ".join((*recipes, *methods))
        raise PydanticCustomError("purifier", "there is no purifier {name}; choose from {known}", _told(name, known))
    values: dict[str, Any] = {"recipe": name} if name in recipes else {"method": name}
    for setting in settings:
        field, _, value = setting.rpartition("=")
        values[field or _first_field(name)] = value
    own = {"method", *KNOBS[values.get("method", "impress")]}
    strangers = sorted(set(values) - own)
    if strangers:
        raise PydanticCustomError("purifier", "{name} has no setting named {known}", _told(name, ", ".join(strangers)))
    return _built(name, values)


def words_of(settings: PurifySettings) -> str:
    """The words that ``purifier_of`` makes these settings of again."""
    if settings.method == "chain":
        return ", then ".join(settings.chain)
    name = settings.recipe if settings.method == "impress" else settings.method
    usual, first = purifier_of(name), _first_field(name)
    differing = [
        f"{field}={getattr(settings, field)}"
        for field in KNOBS[settings.method]
        if field not in (first, "recipe") and getattr(settings, field) != getattr(usual, field)
    ]
    value = getattr(settings, first)
    said = settings.method != "impress" or value != getattr(usual, first)
    return " ".join([name, *([f"{value:g}"] if said else []), *differing])


def _first_field(name: str) -> str:
    """What a bare number after a purifier's name sets."""
    return KNOBS[name][0] if name in KNOBS and name != "impress" else "steps"  # type: ignore[index]


def _built(name: str, values: dict[str, Any]) -> PurifySettings:
    try:
        return PurifySettings(**values)
    except ValidationError as error:
        raise PydanticCustomError("purifier", "in {name}: {known}", _told(name, sentence_of(error)[:-1])) from None


def _told(name: str, known: str) -> dict[str, Any]:
    return {"name": name or "without a name", "known": known}
