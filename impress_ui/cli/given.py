"""The settings that a command was given, by options, file and NAME=VALUE; one that would change nothing is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from impress_ui.errors import UserError
from impress_ui.jobs.documents import read_settings
from impress_ui.settings import SECTIONS, JobSettings


def yaml_of(text: str) -> Any:
    """A value as YAML has it.

    Raises:
        UserError: it is none.
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"'{text}' cannot be read; an example is [4, 8].") from None


def assigned(texts: Sequence[str] | None, sections: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Put the values of NAME=VALUE texts into the sections that they name; returns those that name none.

    Raises:
        UserError: one is no such text.
    """
    others = {}
    for name, value in map(assignment, texts or ()):
        section, _, field = name.partition(".")
        if field and section in SECTIONS:
            sections.setdefault(section, {})[field] = value
        else:
            others[name] = value
    return others


def assignment(text: str, listed: bool = False) -> tuple[str, Any]:
    """(name, value) of NAME=VALUE, with the value in YAML; ``listed``: bare values are a list.

    Raises:
        UserError: it is no such text.
    """
    import yaml

    name, sign, value = (part.strip() for part in text.partition("="))
    try:
        if not (name and sign):
            raise ValueError
        return name, yaml.safe_load(f"[{value}]" if listed and value[:1] not in "[{" else value)
    except (yaml.YAMLError, ValueError):
        raise UserError(f"'{text}' is not NAME=VALUE; an example is protect.budget=8.") from None


def job_of(
    file: str | None, set_: Sequence[str] | None = None, *, besides: Sequence[str] = (), **sections: dict[str, Any]
) -> JobSettings:
    """The settings of the file, or the defaults, with the given options on top, and what ``--set`` names.

    Raises:
        UserError: a file that cannot be read, or a name that no setting has.
    """
    others = assigned(set_, sections)
    if others:
        raise UserError(f"There is no setting named {', '.join(others)}; an example is {an_example(besides)}.")
    return (read_settings(file) if file else JobSettings()).updated(**sections)


@dataclass(frozen=True)
class Given:
    """The settings that a command was given: options by section, a file, and NAME=VALUE texts.

    ``besides``: the sections of those texts that count, beside the ones of the options.
    """

    sections: dict[str, dict[str, Any]]
    file: str | None = None
    others: Sequence[str] | None = None
    besides: Sequence[str] = ()

    def job(self) -> JobSettings:
        """All of them as settings; see ``job_of``.

        Raises:
            UserError: an option that would change nothing: the method does not have it, or another setting is missing.
        """
        used = list(dict.fromkeys((*self.besides, *self.sections)))
        given = [(section, name, f"option --{dashed(name)}") for section, of in self.sections.items() for name in of]
        for name in (assignment(text)[0] for text in self.others or ()):
            section, _, field = name.partition(".")
            if section in SECTIONS and section not in used:
                raise UserError(f"The setting {name} changes nothing here; --set takes those of {', '.join(used)}.")
            given.append((section, field, f"setting {name}"))
        job = job_of(self.file, self.others, besides=self.besides, **self.sections)
        for section, name, called in given:
            settings = getattr(job, section, None)
            if settings is None:
                continue
            picked = getattr(settings, settings.picker) if settings.picker else None
            if not settings.has(name, picked):
                of = ", ".join(settings.describe(name)["of"])
                raise UserError(
                    f"The {called} changes nothing with --{settings.picker} {picked}; it is one of {of}."
                )
            if lacking := settings.lacks(name):
                raise UserError(f"The {called} changes nothing without --{in_options(lacking)}.")
        return job


def dashed(name: str) -> str:
    """A setting's name as its option has it."""
    return name.replace("_", "-")


def in_options(needs: str) -> str:
    """What a setting needs, as options: 'norm l2' for ``norm=l2``, without the dashes before it."""
    other, sign, values = needs.partition("=")
    return f"{dashed(other)} {values.replace('|', ' or ')}" if sign else dashed(other)


def an_example(sections: Sequence[str]) -> str:
    """A setting of the first of these sections, as ``--set`` takes it."""
    section = sections[0] if sections else "protect"
    return f"{section}.{'sampling_steps' if section in ('edit', 'generate') else 'steps'}=20"
