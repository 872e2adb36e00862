"""Everything that determines a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from impress_ui.fields import Settings
from impress_ui.settings.diffusion import EditSettings, GenerateSettings
from impress_ui.settings.explore import ExploreSettings
from impress_ui.settings.mimic import MimicSettings
from impress_ui.settings.protect import ProtectSettings
from impress_ui.settings.purify import PurifySettings
from impress_ui.settings.run import RunSettings
from impress_ui.settings.stress import StressSettings
from impress_ui.settings.sweep import label_of, model_of


class JobSettings(Settings):
    """Everything that determines a result: stored in saved PNGs and read from ``--settings`` files."""

    version: Literal[1] = 1
    run: RunSettings = RunSettings()
    protect: ProtectSettings = ProtectSettings()
    purify: PurifySettings = PurifySettings()
    edit: EditSettings = EditSettings()
    generate: GenerateSettings = GenerateSettings()
    mimic: MimicSettings = MimicSettings()
    stress: StressSettings = StressSettings()
    explore: ExploreSettings = ExploreSettings()

    def updated(self, **sections: dict[str, Any]) -> Self:
        """A validated copy with some fields replaced; a new recipe, preset or method brings its own defaults."""
        data = self.model_dump(exclude_unset=True)
        for name, values in sections.items():
            kept, section = data.get(name, {}), getattr(self, name)
            chooser = section.chooser
            if chooser and (new := values.get(chooser, old := getattr(section, chooser))) != old:
                # What neither choice has a value of its own for stays as it was given.
                brought = {*section.choices.get(old, ()), *section.choices.get(new, ())}
                kept = {field: value for field, value in kept.items() if field not in brought}
            data[name] = {**kept, **values}
        return type(self).model_validate(data)

    def at(self, cell: Mapping[str, Any]) -> Self:
        """The job with a grid's cell in place: values by dotted name, such as ``protect.budget``.

        Raises:
            ValueError: a setting that is not there, or that the chosen method does not have.
            ValidationError: a value out of its range.
        """
        changes: dict[str, dict[str, Any]] = {}
        for name, value in cell.items():
            model_of(name)
            section, _, field = name.partition(".")
            changes.setdefault(section, {})[field] = value
        changed = self.updated(**changes)
        for section, fields in changes.items():
            settings = getattr(changed, section)
            picked = getattr(settings, settings.picker)
            for field in fields:
                if not settings.has(field, picked):
                    raise ValueError(f"{picked} has no setting {label_of(f'{section}.{field}')}")
        return changed


# The sections of a job, with the settings of each, in order.
SECTIONS: dict[str, type[Settings]] = {
    name: field.annotation for name, field in JobSettings.model_fields.items() if name != "version"
}  # type: ignore[misc]
