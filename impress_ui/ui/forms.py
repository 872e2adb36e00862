"""From what the widgets hold, or an API caller sends, to checked settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impress_ui.core.errors import UserError
from impress_ui.recipes import PROTECTIONS, RECIPES
from impress_ui.settings import EMBEDDED, JobSettings, ProtectSettings, PurifySettings
from impress_ui.ui.page import ON_SPACES, Page

RECIPE_FIELDS = tuple(dict.fromkeys(name for recipe in RECIPES.values() for name in recipe))
METHOD_FIELDS = tuple(dict.fromkeys(name for method in PROTECTIONS.values() for name in method))


def job_from_widgets(page: Page, values: Mapping[Any, Any]) -> JobSettings:
    """The settings as the page's knobs stand.

    Raises:
        ValidationError: a value out of its range, or not a number.
    """
    data: dict[str, dict[str, Any]] = {}
    for (section, name), widget in page.knobs.items():
        if values[widget] is None:
            raise UserError(f"{widget.label} is empty: give it a value.")
        data.setdefault(section, {})[name] = values[widget]
    return _allowed(JobSettings.model_validate(data))


def job_from_json(data: Any) -> JobSettings:
    """The settings that an API caller sends: {"run": {...}, "protect": {...}, "edit": {...}, ...}, all optional.

    Raises:
        UserError: it is not an object.
        ValidationError: a name or a value that is not valid.
    """
    if data is None:
        return JobSettings()
    if not isinstance(data, dict):
        raise UserError('The settings must be an object such as {"protect": {"budget": 8}}.')
    return _allowed(JobSettings.model_validate(data))


def recipe_values(recipe: str) -> dict[str, Any]:
    """What a recipe sets each of ``RECIPE_FIELDS`` to."""
    values = PurifySettings.model_validate({"recipe": recipe})
    return {name: getattr(values, name) for name in RECIPE_FIELDS}


def method_values(method: str) -> dict[str, Any]:
    """What a protection's method sets each of ``METHOD_FIELDS`` to."""
    values = ProtectSettings.model_validate({"method": method})
    return {name: getattr(values, name) for name in METHOD_FIELDS}


def _allowed(job: JobSettings) -> JobSettings:
    if ON_SPACES and job.run.checkpoint != EMBEDDED:
        raise UserError(
            "On this public page only the embedded checkpoint can be used; run the program yourself for others."
        )
    return job
