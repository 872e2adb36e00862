"""From what the widgets hold, or an API caller sends, to checked settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from pydantic import ValidationError

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
    idle: dict[str, dict[str, Any]] = {}  # what changes nothing beside the others, and is hidden
    for section, model in SECTIONS.items():
        held = _held(page, section, values)
        for name, value in held.items():
            if model.picker and not model.has(name, held[model.picker]):
                continue  # another method's, and hidden: what stands there must not stop a run
            lacked = model.lacked(name, held)
            if value is None and not lacked:
                raise UserError(f"{page.knobs[section, name].label} is empty: give it a value.")
            if value is not None:
                (idle if lacked else data).setdefault(section, {})[name] = value
    try:
        together = {section: {**given, **idle.get(section, {})} for section, given in data.items()}
        return HOST.check(JobSettings.model_validate(together))
    except ValidationError:
        return HOST.check(JobSettings.model_validate(data))  # as if nothing were hidden


def widgets_of(page: Page, job: JobSettings) -> dict[Any, Any]:
    """Updates that set every knob as the settings have it, and show those that change anything."""
    updates: dict[Any, Any] = {}
    for (section, name), widget in page.knobs.items():
        values, model = getattr(job, section), SECTIONS[section]
        value = getattr(values, name)
        if isinstance(value, tuple):
            value = list(value) if isinstance(widget, gr.Dropdown) else ", then ".join(value)
        updates[widget] = gr.update(value=value, visible=model.shows(name, vars(values)))
    for section in page.areas:
        updates |= _area(page, section, vars(getattr(job, section)))
    return updates


def chosen(page: Page, section: str, choosing: str, values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Updates that a recipe, a preset or a method brings: values, and what shows beside them."""
    model, knobs, held = SECTIONS[section], page.section(section), _held(page, section, values)
    brought = model.chosen_values(held[choosing]) if choosing == model.chooser else {}
    changes: dict[str, dict[str, Any]] = {name: {"value": value} for name, value in brought.items()}
    area: dict[Any, Any] = {}
    if choosing == model.picker:
        held |= brought
        for name in model.counting():
            changes.setdefault(name, {})["visible"] = model.shows(name, held)
        area = _area(page, section, held)
    return {knobs[name]: gr.update(**change) for name, change in changes.items()} | area


def counting(page: Page, section: str, values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Updates that show what needs another knob while that stands as it should."""
    model, knobs, held = SECTIONS[section], page.section(section), _held(page, section, values)
    shows = {knobs[name]: gr.update(visible=model.shows(name, held)) for name in model.needing()}
    return shows | _area(page, section, held)


def _held(page: Page, section: str, values: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: values[widget] for name, widget in page.section(section).items()}


def _area(page: Page, section: str, held: Mapping[str, Any]) -> dict[Any, Any]:
    if section not in page.areas:
        return {}
    (area, needs), model = page.areas[section], SECTIONS[section]
    visible = model.has(needs.partition("=")[0], held[model.picker]) and model.meets(needs, held)
    return {area: gr.update(visible=visible)}


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
