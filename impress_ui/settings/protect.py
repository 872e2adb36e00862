"""The protections' settings: every method's fields together; each field is defined in its method's file."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import create_model

from impress_ui.fields import Settings, knob, together
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


_FIELDS = together(protection.fields for protection in PROTECTIONS.values())
_Method.fields_of = {
    name: tuple(field for field in _FIELDS if field in protection.fields.model_fields)
    for name, protection in PROTECTIONS.items()
}
ProtectSettings = create_model(
    "ProtectSettings", __base__=_Method, __module__=__name__, __doc__=_Method.__doc__, **_FIELDS
)
