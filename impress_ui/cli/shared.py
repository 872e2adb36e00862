"""What the commands share: the program itself, the options of the settings, and how a function becomes a command."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from impress_ui.cli.given import Given, an_example, in_options, yaml_of
from impress_ui.cli.places import forced, place, source
from impress_ui.cli.report import Report, print_report
from impress_ui.settings import RunSettings, Settings
from impress_ui.settings.presets import PRESETS

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
    needs = f" Only with --{in_options(about['needs'])}." if about["needs"] else ""
    words = f"{symbol}{about['help']}{choices}{of}{needs}{limits}{default}"
    return typer.Option(*(names or (f"--{field.replace('_', '-')}",)), help=words)


@dataclass(frozen=True)
class Options:
    """The options of a group of settings, one a field; ``fields``: only these.

    Args:
        names: a shorter name for a field's option, without dashes; the field's own is one too.
    """

    model: type[Settings]
    fields: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def parameters(self, place: str) -> list[inspect.Parameter]:
        """What a command takes for them: parameters whose names begin with ``place``."""
        return [_parameter(self.model, place, name, self.names.get(name)) for name in self._wanted]

    def take(self, place: str, given: dict[str, Any]) -> dict[str, Any]:
        """The values of those that a person gave, by field; they are no longer in ``given`` then."""
        values = {name: given.pop(f"{place}_{name}") for name in self._wanted}
        return {name: _parsed(self.model, name, value) for name, value in values.items() if value is not None}

    @property
    def _wanted(self) -> tuple[str, ...]:
        return tuple(self.fields or self.model.model_fields)


def _run(without: Sequence[str] = (), **wanted: bool) -> Options:
    wanted = {"invert_mask": False, "whole": False, "check": False, "declare": False, **wanted}
    names = [name for name in RunSettings.model_fields if wanted.get(name, True)]
    return Options(RunSettings, [name for name in names if name not in without])


def run_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator: a command's parameter ``run`` stands for the options of the run; it gets a dict of those given."""
    options = _run(without)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def run(**given: Any) -> None:
            command(**{"run": options.take("run", given), **given})

        return _with_parameters(run, command, {"run": options.parameters("run")})

    return decorate


def _with_parameters(
    run: Callable[..., None], command: Callable[..., Any], stand_for: Mapping[str, Sequence[inspect.Parameter]]
) -> Callable[..., None]:
    """``run`` with the command's name, words and parameters, some of which stand for several."""
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        own = [parameter.replace(annotation=hints[parameter.name], kind=parameter.KEYWORD_ONLY)]
        parameters += stand_for.get(parameter.name, own)
    functools.update_wrapper(run, command)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer looks at
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameter(model: type[Settings], place: str, name: str, short: str | None) -> inspect.Parameter:
    """The option of one field; choices are checked by the settings, which name those that there are."""
    annotated = model.model_fields[name].annotation
    kind: Any = annotated if annotated in (bool, int, float) else str
    flags = [flag.replace("_", "-") for flag in (short, name) if flag]
    if kind is bool:
        flags = [f"{flag}/--no-{flag}" for flag in flags]
    annotation = Annotated[kind | None, option(model, name, *(f"--{flag}" for flag in flags))]
    # Two sections may have fields of one name, as an edit and an inpainting's mask: the section tells them apart.
    return _keyword(f"{place}_{name}", annotation)


def _keyword(name: str, annotation: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _parsed(model: type[Settings], name: str, value: Any) -> Any:
    """What a text stands for, where the field is a list: YAML in brackets, or items with commas between.

    Lists with words of their own, such as a chain, are left to the settings.
    """
    field = model.model_fields[name]
    if get_origin(field.annotation) is not tuple or any(hasattr(each, "func") for each in field.metadata):
        return value
    return yaml_of(value) if value.startswith("[") else tuple(item.strip() for item in value.split(","))


# One alias an option, used by every command that has it.
Input = Annotated[Path, typer.Argument(metavar="IN", parser=source, help="A picture, or a folder of pictures.")]
Inputs = Annotated[list[Path], typer.Argument(metavar="IN", help="Pictures of one size.")]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="OUT", parser=place, help="Where to save: a .png file, or a folder.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over files that this program did not make.")]
Mask = Annotated[Path | None, typer.Option(help="A picture whose white parts may change; the rest stays as it is.")]
SettingsFile = Annotated[
    str | None,
    typer.Option(
        "--settings",
        help="A JSON or YAML file of settings, a PNG saved by this program, a share link of the page, or a preset "
        f"({', '.join(PRESETS)}); options override it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def job_command(
    name: str | None = None,
    *,
    without: Sequence[str] = (),
    mask: bool = False,
    whole: bool = False,
    protects: bool = False,
    others: Sequence[str] = (),
    stored: bool = True,
    **sections: Options,
) -> Callable[[Callable[..., Report]], Callable[..., None]]:
    """A decorator: a function from ``given: Given`` and options of its own to a report becomes a command.

    After its own the command has the options of the sections, of the run, and ``--json``; it prints the report.

    Args:
        name: the command's; the function's without it.
        without: fields of the run that are of no use to it.
        mask: whether the run's ``invert_mask`` is, which others do without.
        whole: whether the run's ``whole`` is, which others do without.
        protects: whether what is said of a protected picture is: ``check`` and ``declare``.
        others: the sections beside its own whose settings count, by ``--set``; without any it has none.
        stored: whether it has ``--settings``.
    """
    options = {**sections, "run": _run(without, invert_mask=mask, whole=whole, check=protects, declare=protects)}

    def decorate(work: Callable[..., Report]) -> Callable[..., None]:
        def command(
            *, settings: str | None = None, set_: list[str] | None = None, force: bool = False, json: bool, **given: Any
        ) -> None:
            forced.set(force)
            taken = {section: each.take(section, given) for section, each in options.items()}
            print_report(work(given=Given(taken, settings, set_, others), **given), json)

        blocks = {section: each.parameters(section) for section, each in options.items()}
        run = blocks.pop("run")
        told = f"A setting of {' or '.join(others)}, as {an_example(others)}; again for more." if others else ""
        assigns = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=told)]
        set_ = [_keyword("set_", assigns)] if others else []
        settings = [_keyword("settings", SettingsFile)] if stored else []
        writes = "output" in inspect.signature(work).parameters
        last = [*([_keyword("force", Force, False)] if writes else []), _keyword("json", AsJson, False)]
        shared = [*itertools.chain(*blocks.values()), *set_, *run, *settings, *last]
        return app.command(name)(_with_parameters(command, work, {"given": shared}))

    return decorate
