"""The purifiers' settings: every method's fields together, each defined in its method's file; and words for them."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ValidationError, create_model
from pydantic_core import PydanticCustomError

from impress_ui.fields import Settings, knob, sentence_of, together
from impress_ui.methods.impress import RECIPES
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.methods.purifiers.impress import ImpressSettings

CHAIN = "chain"  # no purifier, but several of them
PurifyMethod = Literal[(*PURIFIERS, CHAIN)]  # type: ignore[valid-type]
# Which fields are a method's own: the page shows no others. The first is the one that tells its rows apart.
KNOBS: dict[str, tuple[str, ...]] = {
    **{name: tuple(purifier.fields.model_fields) for name, purifier in PURIFIERS.items()},
    CHAIN: (CHAIN,),
}


_THEN = r"\bthen\b"
_QUOTED = r""""(?:\\.|[^"\\])*"|'[^']*'"""
# What a value that stands among words has to be quoted for: what parts words or purifiers, or is taken for a quotation.
_PARTING = re.compile(rf"""[\s,+"'\\]|{_THEN}""")


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """The pieces of a text between what matches a pattern without groups, except inside quotation marks."""
    pieces, start = [], 0
    for found in re.finditer(rf"(?P<quoted>{_QUOTED})|{separator}", text):
        if found["quoted"] is None:
            pieces.append(text[start : found.start()])
            start = found.end()
    return [*pieces, text[start:]]


def checked_steps(given: Any) -> Any:
    """A chain's steps, each in the words that ``purifier_of`` understands; text is split at commas, 'then' and '+'."""
    steps = split_outside_quotes(given, rf"{_THEN}|[,+]") if isinstance(given, str) else given
    if not isinstance(steps, (list, tuple)) or not all(isinstance(step, str) for step in steps):
        return given
    words = tuple(words_of(purifier_of(step)) for step in steps if step.strip())
    if not words or any(len(split_outside_quotes(step, _THEN)) > 1 for step in words):
        raise PydanticCustomError("chain", "a chain is a list of purifiers such as 'jpeg 40, then fast'")
    return words


class _Method(ImpressSettings):
    """IMPRESS, the purifiers that it must beat, and chains of them."""

    chooser: ClassVar = "recipe"
    choices: ClassVar = RECIPES
    picker: ClassVar = "method"
    fields_of: ClassVar = KNOBS

    method: PurifyMethod = knob(
        "impress",
        "IMPRESS, or what it must beat: autoencoder round trip, classical filters, purification by the diffusion "
        "model itself (SDEdit, GrIDPure), or a chain of them.",
        label="Purifier",
    )


class _Chain(Settings):
    """Several purifiers, one after the other."""

    chain: Annotated[tuple[str, ...], BeforeValidator(checked_steps)] = knob(
        ("jpeg 40", "fast"),
        "Purifiers one after the other, as 'jpeg 40, then fast': a method or a recipe, its first setting as a number, "
        "others as name=value; what is not given has its default.",
        label="Chain",
    )


_OTHERS = (purifier.fields for purifier in PURIFIERS.values() if purifier.fields is not ImpressSettings)
PurifySettings = create_model(
    "PurifySettings", __base__=_Method, __module__=__name__, __doc__=_Method.__doc__, **together([*_OTHERS, _Chain])
)

# The quick ones that stand beside every purification; the stress test has all.
CONTROLS = tuple(name for name, purifier in PURIFIERS.items() if purifier.control)


def purifier_of(text: str) -> PurifySettings:
    """The settings that a few words stand for: 'jpeg', 'jpeg 40', 'paper steps=300', 'jpeg 40, then fast'.

    A recipe's name is IMPRESS with that recipe, and a number after it its steps.

    Raises:
        PydanticCustomError: no such purifier or setting, or a value out of its range.
    """
    parts = [part.strip(" ,") for part in split_outside_quotes(text, rf"{_THEN}|\+")]
    if len(parts) > 1:
        return _built("the chain", {"method": "chain", "chain": parts})
    name, *settings = _split(parts[0]) or [""]
    recipes = PurifySettings.choices
    methods = [method for method in KNOBS if method != "chain"]
    if name not in recipes and name not in methods:
        known = ", ".join((*recipes, *methods))
        raise PydanticCustomError("purifier", "there is no purifier {name}; choose from {known}", _told(name, known))
    values: dict[str, Any] = {"recipe": name} if name in recipes else {"method": name}
    for setting in settings:
        field, named, value = setting.partition("=")  # a path may have such a sign too
        values[field if named else _first_field(name)] = value if named else setting
    own = {"method", *KNOBS[values.get("method", "impress")]}
    strangers = sorted(set(values) - own)
    if strangers:
        raise PydanticCustomError("purifier", "{name} has no setting named {known}", _told(name, ", ".join(strangers)))
    return _built(name, values)


def parts_of(settings: PurifySettings) -> list[PurifySettings]:
    """The purifiers that run one after the other: a chain's, or the one."""
    return [purifier_of(text) for text in settings.chain] if settings.method == CHAIN else [settings]


def _split(words: str) -> list[str]:
    """The words, some of which may stand in quotation marks."""
    try:
        return shlex.split(words) if '"' in words or "'" in words else words.split()
    except ValueError:  # a quotation mark without its partner
        return words.split()


def words_of(settings: PurifySettings) -> str:
    """The words that ``purifier_of`` makes these settings of again."""
    if settings.method == "chain":
        return ", then ".join(settings.chain)
    name = settings.recipe if settings.method == "impress" else settings.method
    usual, first = purifier_of(name), _first_field(name)
    differing = [
        f"{field}={_quoted(getattr(settings, field))}"
        for field in KNOBS[settings.method]
        if field not in (first, "recipe") and getattr(settings, field) != getattr(usual, field)
    ]
    value = getattr(settings, first)
    said = settings.method != "impress" or value != getattr(usual, first)
    return " ".join([name, *([f"{value:g}"] if said else []), *differing])


def _quoted(value: Any) -> Any:
    if not isinstance(value, str) or not _PARTING.search(value):
        return value
    return "'" + value.replace("'", """'"'"'""") + "'"  # shlex.quote leaves commas and plus signs as they are


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
