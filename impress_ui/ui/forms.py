"""From what the widgets hold, or an API caller sends, to checked settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impress_ui.core.errors import UserError
from impress_ui.settings import JobSettings
from impress_ui.ui.page import SECTIONS, Page
from impress_ui.ui.public import HOST


def job_from_widgets(page: Page, values: Mapping[Any, Any]) -> JobSettings:
    """The settings as the page's knobs stand.

    Raises:
        ValidationError: a value out of its range, or not a number.
    """
    data: dict[str, dict[str, Any]] = {}
    for (section, name), widget in page.knobs.items():
        model = SECTIONS[section]
        if model.picker and not model.has(name, values[page.knobs[section, model.picker]]):
            continue  # another method's, and hidden: what stands there must not stop a run
        if values[widget] is None:
            raise UserError(f"{widget.label} is empty: give it a value.")
        data.setdefault(section, {})[name] = values[widget]
    return HOST.check(JobSettings.model_validate(data))


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
    return HOST.check(JobSettings.model_validate(data))
