"""Settings as documents: JSON and YAML files, saved PNGs, share links and presets, read and checked alike.

job = read_settings("protected.png")              # or settings.json, "?protect.budget=8", "paper-style"
to_json(job), to_query(job)                       # what makes it again
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin
from urllib.parse import parse_qsl, urlencode

from impress_ui.errors import UserError
from impress_ui.settings import SECTIONS, JobSettings
from impress_ui.settings.presets import PRESETS

MAX_LENGTH = 200_000  # characters of a document; all settings written out are a twentieth of it
MAX_QUERY = 8_000  # characters; servers and browsers cut longer addresses
MAX_FIELDS = 300
PNG = b"\x89PNG"
PICTURES = (b"\xff\xd8\xff", b"RIFF", b"GIF8", b"II*\0", b"MM\0*", b"BM")  # how pictures of other formats begin
YAML = (".yaml", ".yml")


def read_settings(source: str | Path, *, name: str | None = None) -> JobSettings:
    """The settings that a file holds (JSON, YAML, or a PNG saved by this program), a share link, or a preset's name.

    Args:
        name: what to call the file in a sentence; its own name by default.

    Raises:
        UserError: there are none, or they cannot be read.
        ValidationError: a name or a value that is not valid.
    """
    named = _named(source)
    return named if named is not None else JobSettings.model_validate(_in_file(Path(source), name))


def read_data(source: str | Path) -> dict[str, Any]:
    """The same as plain data, unchecked: an experiment's settings have more names than a job's."""
    named = _named(source)
    return named.model_dump(mode="json") if named is not None else _in_file(Path(source), None)


def from_json(text: str, name: str) -> JobSettings:
    """The settings in a JSON text: alone, or as the ``settings`` of a report."""
    return checked(_parsed(text, name))


def checked(data: Any) -> JobSettings:
    """The settings of plain data such as ``{"protect": {"budget": 8}}``, or of a report that holds them.

    Raises:
        UserError: it is not an object.
        ValidationError: a name or a value that is not valid.
    """
    return JobSettings.model_validate(_unwrapped(data))


def from_link(link: str) -> JobSettings:
    """The settings in a link's query, as ``to_query`` writes them; names without a dot are not ours and left out."""
    query = link.split("#", 1)[0].rpartition("?")[2]
    if len(query) > MAX_QUERY:
        raise UserError("The link is too long to hold settings.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise UserError("The link holds too many settings.") from None
    data: dict[str, dict[str, Any]] = {}
    for key, value in pairs:
        section, dot, field = key.partition(".")
        if not dot:
            continue
        values = data.setdefault(section, {})
        if _is_list(section, field):
            values.setdefault(field, []).extend([value] if value else [])
        else:
            values[field] = value
    return JobSettings.model_validate(data)


def has_settings(query: str) -> bool:
    """Whether a link's query has anything for ``from_link``."""
    return any("." in part.partition("=")[0] for part in query.lstrip("?").split("&"))


def to_query(job: JobSettings) -> str:
    """The settings as the query of a link, only what differs from the defaults."""
    return urlencode(
        [
            (f"{section}.{name}", _text(value))
            for section, values in compact(job).items()
            for name, given in values.items()
            for value in ((given or [""]) if isinstance(given, list) else [given])
        ]
    )


def to_json(job: JobSettings) -> str:
    """The settings written out in full, as a file to keep."""
    return json.dumps(job.model_dump(mode="json"), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def compact(job: JobSettings) -> dict[str, dict[str, Any]]:
    """Plain data that gives these settings again, without what a section's defaults, or its recipe's, say already."""
    differing = {}
    for section, model in SECTIONS.items():
        values = getattr(job, section).model_dump(mode="json")
        chosen = {model.chooser: values[model.chooser]} if model.chooser else {}
        usual = model.model_validate(chosen).model_dump(mode="json")
        if model.chooser:
            usual[model.chooser] = model.model_fields[model.chooser].default
        own = {name: value for name, value in values.items() if value != usual[name]}
        if own:
            differing[section] = own
    return differing


def changed(before: JobSettings, after: JobSettings) -> dict[str, tuple[Any, Any]]:
    """The settings that differ, by ``section.name``: what they were, and what they are."""
    first, second = (_flat(job.model_dump(mode="json")) for job in (before, after))
    return {name: (first[name], second[name]) for name in first if first[name] != second[name]}


def _flat(data: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{name}": value for section in SECTIONS for name, value in data[section].items()}


def _named(source: str | Path) -> JobSettings | None:
    """The settings of a preset or a link, or None: then it is a file."""
    if isinstance(source, str):
        if source in PRESETS:
            return PRESETS[source].applied_to(JobSettings())
        if source.startswith(("?", "http://", "https://")):
            return from_link(source)
    return None


def _in_file(path: Path, name: str | None) -> dict[str, Any]:
    name = name or path.name
    try:
        with path.open("rb") as file:
            start = file.read(MAX_LENGTH + 1)
    except (OSError, ValueError):
        raise UserError(
            f"The settings file {name} cannot be read; check the path, or name a preset: {', '.join(PRESETS)}."
        ) from None
    if start.startswith(PNG):
        return _in_png(path, name)
    if start.startswith(PICTURES):
        raise UserError(
            f"{name} is a picture that carries no settings: only PNGs saved by this program do, until another program "
            "saves them again."
        )
    if len(start) > MAX_LENGTH:
        raise UserError(f"The settings file {name} is too long to be one.")
    try:
        return _unwrapped(_parsed(start.decode("utf-8-sig"), name))
    except UnicodeDecodeError:
        raise UserError(f"The settings file {name} is not {_kind(name)}.") from None


def _kind(name: str) -> str:
    return "YAML" if name.lower().endswith(YAML) else "JSON"


def _parsed(text: str, name: str) -> Any:
    """The data of a text; of YAML its plain types alone, and no aliases, which can grow without bound."""
    try:
        if _kind(name) == "JSON":
            return json.loads(text)
        import yaml

        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ValueError
        return yaml.safe_load(text)
    except RecursionError:
        pass
    except Exception as error:
        # yaml is imported only where it is needed, so its errors are known by the module they come from.
        if not isinstance(error, ValueError) and not type(error).__module__.startswith("yaml"):
            raise
    raise UserError(f"The settings file {name} is not {_kind(name)}.")


def _unwrapped(data: Any) -> dict[str, Any]:
    if isinstance(data, dict) and isinstance(data.get("settings"), dict):
        data = data["settings"]
    if not isinstance(data, dict):
        raise UserError('The settings must be an object such as {"protect": {"budget": 8}}.')
    return data


def _in_png(path: Path, name: str) -> dict[str, Any]:
    from impress_ui.pictures.images import read_metadata

    metadata = read_metadata(path)
    if metadata is None or "settings" not in metadata:
        raise UserError(f"{name} carries no settings; use a PNG saved by this program, or a JSON file.")
    return _unwrapped(metadata["settings"])


def _is_list(section: str, field: str) -> bool:
    model = SECTIONS.get(section)
    return (
        model is not None and field in model.model_fields and get_origin(model.model_fields[field].annotation) is tuple
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)
