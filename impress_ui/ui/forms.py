"""From what the widgets hold, or an API caller sends, to checked settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from impress_ui.errors import UserError
from impress_ui.jobs.documents import checked, from_json, from_link, to_query
from impress_ui.settings import SECTIONS, JobSettings
from impress_ui.settings.presets import PRESETS
from impress_ui.ui.page import Page
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


def widgets_of(page: Page, job: JobSettings) -> dict[Any, Any]:
    """Updates that set every knob as the settings have it, and show those of the methods that are picked."""
    updates: dict[Any, Any] = {}
    for (section, name), widget in page.knobs.items():
        values, model = getattr(job, section), SECTIONS[section]
        value = getattr(values, name)
        if isinstance(value, tuple):
            value = list(value) if isinstance(widget, gr.Dropdown) else ", then ".join(value)
        picked = getattr(values, model.picker) if model.picker else None
        updates[widget] = gr.update(value=value, visible=model.has(name, picked))
    for section, (area, field) in page.areas.items():
        values = getattr(job, section)
        updates[area] = gr.update(visible=values.has(field, getattr(values, values.picker)))
    return updates


def job_from_json(data: Any) -> JobSettings:
    """The settings that an API caller sends: {"run": {...}, "protect": {...}, "edit": {...}, ...}, all optional.

    Raises:
        UserError: it is not an object.
        ValidationError: a name or a value that is not valid.
    """
    return HOST.check(JobSettings() if data is None else checked(data))


def job_from_text(text: str) -> JobSettings:
    """The settings of a JSON text, a share link, or a preset's name; never of a file of this machine.

    Raises:
        UserError, ValidationError: it is none of these, or not valid.
    """
    text = (text or "").strip()
    if text in PRESETS:
        return PRESETS[text].applied_to(JobSettings())
    if text.startswith("{"):
        return HOST.check(from_json(text, "given"))
    if not text.startswith(("?", "http://", "https://")):
        raise UserError(f"There is no preset {text[:60]}; choose from {', '.join(PRESETS)}, or give JSON or a link.")
    return HOST.check(from_link(text))


def settings_report(text: str) -> dict[str, Any]:
    """Settings given as text, in full and as a link's query."""
    job = job_from_text(text)
    return {"settings": job.model_dump(mode="json"), "link": f"?{to_query(job)}"}
