"""What the commands share: the program itself, the options' types, how they become settings, and what is printed."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from impress_ui.errors import UserError
from impress_ui.jobs.documents import read_settings
from impress_ui.settings import JobSettings, RunSettings, Settings
from impress_ui.settings.presets import PRESETS

SECTIONS = tuple(name for name in JobSettings.model_fields if name != "version")

app = typer.Typer(
    help="Protect, reconstruct, purify, edit and measure pictures against latent diffusion models. "
    "Evaluate protections with it, and use only images you have the right to use.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def option(model: type[Settings], field: str, *names: str) -> Any:
    """A command-line option whose help, range and default come from the settings."""
    about = model.describe(field)
    limits = f" {about['minimum']} to {about['maximum']}." if about["maximum"] is not None else ""
    symbol = f"{about['symbol']}: " if about["symbol"] else ""
    usual = about["default"]
    usual = ", ".join(map(str, usual)) if isinstance(usual, tuple) else usual
    default = f" Default: {usual}." if usual not in (None, "") else ""
    annotation = model.model_fields[field].annotation
    choices = f" One of {', '.join(get_args(annotation))}." if get_origin(annotation) is Literal else ""
    of = ""
    if about["not_of"]:
        few, many = about["of"], about["not_of"]
        of = f" Of {', '.join(few)}." if len(few) <= len(many) else f" Not of {', '.join(many)}."
    words = f"{symbol}{about['help']}{choices}{of}{limits}{default}"
    return typer.Option(*(names or (f"--{field.replace('_', '-')}",)), help=words)


def options_of(
    model: type[Settings], place: str, fields: Sequence[str] = (), **names: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: a command's parameter ``place`` stands for one option a field; it gets a dict of those given.

    Args:
        fields: only these; all without it.
        names: a shorter name for a field's option, without dashes; the field's own is one too.
    """
    wanted = tuple(fields or model.model_fields)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            values = {name: given.pop(f"{place}_{name}") for name in wanted}
            values = {name: _parsed(model, name, value) for name, value in values.items() if value is not None}
            command(**{place: values, **given})

        parameters = []
        hints = get_type_hints(command, include_extras=True)
        for parameter in inspect.signature(command).parameters.values():
            if parameter.name == place:
                parameters += [_parameter(model, place, name, names.get(name)) for name in wanted]
            else:
                parameters.append(parameter.replace(annotation=hints[parameter.name]))
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer looks at
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _parameter(model: type[Settings], place: str, name: str, short: str | None) -> inspect.Parameter:
    """The option of one field; choices are checked by the settings, which name those that there are."""
    annotated = model.model_fields[name].annotation
    kind: Any = annotated if annotated in (bool, int, float) else str
    flags = [flag.replace("_", "-") for flag in (short, name) if flag]
    if kind is bool:
        flags = [f"{flag}/--no-{flag}" for flag in flags]
    annotation = Annotated[kind | None, option(model, name, *(f"--{flag}" for flag in flags))]
    # Two sections may have fields of one name, as an edit and an inpainting's mask: the section tells them apart.
    return inspect.Parameter(
        f"{place}_{name}", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation
    )


def _parsed(model: type[Settings], name: str, value: Any) -> Any:
    """What a text stands for, where the field is a list: YAML in brackets, or items with commas between.

    Lists with words of their own, such as a chain, are left to the settings.
    """
    field = model.model_fields[name]
    if get_origin(field.annotation) is not tuple or any(hasattr(each, "func") for each in field.metadata):
        return value
    return yaml_of(value) if value.startswith("[") else tuple(item.strip() for item in value.split(","))


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


def run_options(*without: str, mask: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """``options_of`` the run, as the parameter ``run``: what every command has, and with ``mask`` how that is taken."""
    names = ("checkpoint", "size", "seed", "device", "precision", *(["invert_mask"] if mask else []))
    return options_of(RunSettings, "run", [name for name in names if name not in without])


# One alias an option, used by every command that has it.
Input = Annotated[Path, typer.Argument(metavar="IN", help="A picture, or a folder of pictures.")]
Inputs = Annotated[list[Path], typer.Argument(metavar="IN", help="Pictures of one size.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="Where to save: a .png file, or a folder.")]
Mask = Annotated[Path | None, typer.Option(help="A picture whose white parts may change; the rest stays as it is.")]
SettingsFile = Annotated[
    str | None,
    typer.Option(
        "--settings",
        help="A JSON or YAML file of settings, a PNG saved by this program, a share link of the page, or a preset "
        f"({', '.join(PRESETS)}); options override it.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting, as protect.steps=20; again for more."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def job_of(file: str | None, set_: Sequence[str] | None = None, **sections: dict[str, Any]) -> JobSettings:
    """The settings of the file, or the defaults, with the given options on top, and what ``--set`` names.

    Raises:
        UserError: a file that cannot be read, or a name that no setting has.
    """
    others = assigned(set_, sections)
    if others:
        raise UserError(f"There is no setting named {', '.join(others)}; an example is protect.budget=8.")
    return (read_settings(file) if file else JobSettings()).updated(**sections)


def print_report(report: dict[str, Any], as_json: bool) -> None:
    """One JSON object, or a line a picture; afterwards what failed is told as a mistake."""
    import json

    rows = report.get("results", [report])
    if as_json:
        print(json.dumps(report, ensure_ascii=False, allow_nan=False))
    else:
        for row in rows:
            if "error" not in row:
                print(row["summary"])
    failed = [row["error"] for row in rows if "error" in row]
    if failed:
        raise UserError(f"{len(failed)} of {len(rows)} pictures were not done; the first: {failed[0]}")


def log(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)
