"""The protections' settings: every method's fields together; each field is defined in its method's file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_origin

from pydantic import ValidationError, create_model
from pydantic_core import PydanticCustomError

from impress_ui.fields import Settings, knob, sentence_of, together
from impress_ui.methods.protections import PROTECTIONS

ProtectMethod = Literal[tuple(PROTECTIONS)]  # type: ignore[valid-type]


class _Method(Settings):
    """The protections of ``methods/protections``; each brings its own defaults along for fields that are not given."""

    chooser: ClassVar = "method"
    choices: ClassVar = {name: protection.defaults for name, protection in PROTECTIONS.items()}
    picker: ClassVar = "method"

    method: ProtectMethod = knob(
        "photoguard-encoder",
        "How the picture is changed so that the model is misled: see docs/protections.md. The encoder attacks are the "
        "fastest; those through the sampler, and those against a model in training, the slowest.",
        label="Protection",
    )

    @property
    def others(self) -> tuple[str, ...]:
        """The checkpoints of ``also``, each once, where the method can be made against several."""
        if not self.has("also", self.method):
            return ()
        return tuple(dict.fromkeys(filter(None, (name.strip() for name in self.also.split(",")))))


_FIELDS = together(protection.fields for protection in PROTECTIONS.values())
_Method.fields_of = {
    name: tuple(field for field in _FIELDS if field in protection.fields.model_fields)
    for name, protection in PROTECTIONS.items()
}
ProtectSettings = create_model(
    "ProtectSettings", __base__=_Method, __module__=__name__, __doc__=_Method.__doc__, **_FIELDS
)


def protection_of(text: str) -> ProtectSettings:
    """The settings that a few words stand for: 'mist-textural', 'photoguard-encoder budget=8 robust_to=jpeg+blur'.

    Raises:
        PydanticCustomError: no such protection or setting, or a value out of its range.
    """
    method, *settings = text.split() or [""]
    if method not in PROTECTIONS:
        told = {"name": method or "without a name", "known": ", ".join(PROTECTIONS)}
        raise PydanticCustomError("protection", "there is no protection {name}; choose from {known}", told)
    values: dict[str, Any] = {"method": method}
    for setting in settings:
        field, _, value = setting.partition("=")
        if field not in ProtectSettings.fields_of[method]:
            told = {"name": method, "known": field}
            raise PydanticCustomError("protection", "{name} has no setting named {known}", told)
        listed = get_origin(ProtectSettings.model_fields[field].annotation) is tuple
        values[field] = tuple(value.split("+")) if listed else value
    try:
        return ProtectSettings(**values)
    except ValidationError as error:
        told = {"name": method, "known": sentence_of(error)[:-1]}
        raise PydanticCustomError("protection", "in {name}: {known}", told) from None


def checked_protections(listed: Any) -> Any:
    """Protections in the words that ``protection_of`` understands, each once."""
    if not isinstance(listed, (list, tuple)) or not all(isinstance(text, str) for text in listed):
        raise PydanticCustomError("protections", "a list of protections such as 'mist-textural' is wanted")
    for text in listed:
        protection_of(text)
    return tuple(dict.fromkeys(" ".join(text.split()) for text in listed))
