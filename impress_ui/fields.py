"""What every group of settings is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

OWN = 7  # the place of a method's own fields: after those that many methods share


def knob(
    default: Any,
    help: str,
    *,
    symbol: str = "",
    step: float | None = None,
    label: str = "",
    choices: Sequence[str] = (),
    place: int = OWN,
    local: bool = False,
    needs: str = "",
    **limits: Any,
) -> Any:
    """A pydantic field that also carries its widget's label, symbol and step, or what a list offers to choose from.

    ``place``: where it stands among the fields of all methods, in ``together``. ``local``: whether it names a file of
    the machine, which is not a visitor's to choose on a public page. ``needs``: the setting beside it without which it
    changes nothing, such as ``robust_to``, or ``norm=l2`` and ``term=a|b`` where it is some values that do.
    """
    extra: dict[str, Any] = {"symbol": symbol, "step": step, "label": label, "choices": list(choices)}
    if place != OWN:
        extra["place"] = place
    if local:
        extra["local"] = True
    if needs:
        extra["needs"] = needs
    return Field(default, description=help, json_schema_extra=extra, **limits)


OFF = ("", (), 0, "none")  # values of a setting that is not in use


class Settings(BaseModel):
    """Base of all settings: unknown names and NaN are refused, and instances do not change.

    One field may choose a named set of defaults, as a recipe does: fields that are not given take the set's values.
    """

    # Built when first used: a method's own fields never are, but as part of the settings that are made of them.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    # The name of that field, and the sets by name. What a set does not hold has the field's own default.
    chooser: ClassVar[str] = ""
    choices: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # A field that picks a method, and the fields that each method has; fields of no method count for all of them.
    picker: ClassVar[str] = ""
    fields_of: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _fill_from_choice(cls, data: Any) -> Any:
        choice = data.get(cls.chooser) if isinstance(data, dict) else None
        return {**cls.choices[choice], **data} if isinstance(choice, str) and choice in cls.choices else data

    @classmethod
    def chosen_fields(cls) -> tuple[str, ...]:
        """The fields that any of the choices has a value for."""
        return tuple(dict.fromkeys(name for values in cls.choices.values() for name in values))

    @classmethod
    def chosen_values(cls, choice: str) -> dict[str, Any]:
        """What a choice sets those fields to."""
        values = cls.model_validate({cls.chooser: choice})
        return {name: getattr(values, name) for name in cls.chosen_fields()}

    @classmethod
    def has(cls, name: str, picked: str | None = None) -> bool:
        """Whether a field counts for a picked method, or for the default one."""
        if not cls.picker:
            return True
        own = cls.fields_of[picked or cls.model_fields[cls.picker].default]
        return name in own or not any(name in fields for fields in cls.fields_of.values())

    @classmethod
    def needing(cls) -> dict[str, str]:
        """The fields that change nothing without another one, and that one."""
        needs = {name: cls.describe(name)["needs"].partition("=")[0] for name in cls.model_fields}
        return {name: other for name, other in needs.items() if other}

    @classmethod
    def counting(cls) -> tuple[str, ...]:
        """The fields that do not always count: those of a method, and those that need another one."""
        owned = [name for fields in cls.fields_of.values() for name in fields]
        return tuple(dict.fromkeys([*owned, *cls.needing()]))

    def lacks(self, name: str) -> str:
        """What a field ``needs`` to change anything, where these settings do not have it; else nothing."""
        return self.lacked(name, vars(self))

    @classmethod
    def lacked(cls, name: str, values: Mapping[str, Any]) -> str:
        """The same of values by name, valid or not."""
        needs = cls.describe(name)["needs"]
        return "" if cls.meets(needs, values) else needs

    @staticmethod
    def meets(needs: str, values: Mapping[str, Any]) -> bool:
        """Whether values by name have what ``knob`` calls ``needs``."""
        other, sign, wanted = needs.partition("=")
        if not sign:
            value = values[other] if other else True
            return value is not None and (tuple(value) if isinstance(value, list) else value) not in OFF
        return values[other] in wanted.split("|")

    @classmethod
    def shows(cls, name: str, values: Mapping[str, Any]) -> bool:
        """Whether a field changes anything beside these values: its method is picked, and what it needs is there."""
        return cls.has(name, values[cls.picker] if cls.picker else None) and not cls.lacked(name, values)

    @classmethod
    def describe(cls, name: str) -> dict[str, Any]:
        """Label, symbol, help, default, minimum, maximum, step and choices of one field, for a widget or an option.

        ``of`` names the methods that have it and ``not_of`` the others, where there are such; ``needs`` is ``knob``'s.
        """
        field = cls.model_fields[name]
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        bounds = {type(limit).__name__: limit for limit in field.metadata}
        return {
            "label": extra.get("label") or name.replace("_", " ").capitalize(),
            "symbol": extra.get("symbol", ""),
            "help": field.description or "",
            "default": field.default,
            "minimum": getattr(bounds.get("Ge"), "ge", None),
            "maximum": getattr(bounds.get("Le"), "le", None),
            "step": extra.get("step"),
            "choices": extra.get("choices", []),
            "local": extra.get("local", False),
            "needs": extra.get("needs", ""),
            "of": tuple(method for method in cls.fields_of if cls.has(name, method)),
            "not_of": tuple(method for method in cls.fields_of if not cls.has(name, method)),
        }


def together(models: Iterable[type[Settings]]) -> dict[str, Any]:
    """The fields of several models, each once, by their places: what ``pydantic.create_model`` makes one model of."""
    fields = {name: field for model in models for name, field in model.model_fields.items()}

    def place(name: str) -> int:
        extra = fields[name].json_schema_extra
        return extra.get("place", OWN) if isinstance(extra, dict) else OWN

    return {name: (fields[name].annotation, fields[name]) for name in sorted(fields, key=place)}


SHOWN = 60  # characters of a name or a value from outside that a sentence repeats
NAMED = 5
EXPLAINED = 400  # characters of what a value should be, which may be one of very many


def sentence_of(error: ValidationError) -> str:
    """The mistake in one sentence: every unknown name, or else what is wrong with the first value, and what it was."""
    found = error.errors(include_url=False, include_context=False)
    unknown = [_name(mistake["loc"]) for mistake in found if mistake["type"] == "extra_forbidden"]
    if unknown:
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        return f"There is no setting named {', '.join(unknown[:NAMED])}{more}."
    first = found[0]
    if not first["loc"]:  # of several settings together: the sentence names them
        told = first["msg"].removeprefix("Value error, ")
        return f"{told[:1].upper()}{told[1:].rstrip('.')}."
    given = first["input"]
    shown = "" if isinstance(given, (dict, list)) else f" (given: {_shortened(given)})"
    said = first["msg"].removeprefix("Value error, ")
    wrong = said if len(said) <= EXPLAINED else f"{said[: EXPLAINED - 1]}…"
    return f"The setting {_name(first['loc'])} is not valid: {wrong[0].lower()}{wrong[1:]}{shown}."


def _name(location: Sequence[str | int]) -> str:
    return _shortened(".".join(str(part) for part in location)) or "settings"


def _shortened(value: Any) -> str:
    """A text that can be printed anywhere: no lone surrogates, no line breaks, not long."""
    return " ".join(str(value)[:SHOWN].encode("utf-8", "replace").decode().split())
