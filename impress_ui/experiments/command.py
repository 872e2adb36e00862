"""The command that carries an experiment out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.given import assigned, assignment
from impress_ui.cli.places import place
from impress_ui.cli.report import log, print_report
from impress_ui.cli.shared import AsJson, SettingsFile, app, run_options
from impress_ui.errors import UserError
from impress_ui.experiments import table
from impress_ui.jobs.documents import read_data


@app.command()
@run_options()
def experiment(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"{', '.join(table.NAMES[:-1])} or {table.NAMES[-1]}.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", parser=place, help="Folder for the tables, charts and the report; a run goes on in it."
        ),
    ] = Path("outputs"),
    photographs: Annotated[int | None, typer.Option(help="Only the first so many photographs of the split.")] = None,
    paper_photographs: Annotated[
        int | None, typer.Option(help="Photographs on which the paper recipes run too: ten minutes each on two cores.")
    ] = None,
    budget: Annotated[list[int] | None, typer.Option(help="Budget in grey levels; give it again for more.")] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(help="Of 'editing': encoder or diffusion; more than once for more. Default: both."),
    ] = None,
    artists: Annotated[
        int | None, typer.Option(help="Of 'style': only the first so many artists. Default: all.")
    ] = None,
    paper_artists: Annotated[
        int | None,
        typer.Option(help="Of 'style': artists whose works the paper recipe purifies too, half an hour each."),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="Of 'ablation': protect.budget=4,8,16 or 'purify.alpha={from: 0.01, to: 1, count: 5}'; "
            "more than once for a grid.",
        ),
    ] = None,
    checkpoints: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER", help="Of 'transfer': a checkpoint beside the embedded one; more than once for more."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Any setting by name: protect.steps=60, purifiers='[jpeg 40, fast]'."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="'test' for reported figures (default), 'validation' for choosing recipes.")
    ] = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Measure on photographs that no training has seen: tables, charts and a report; run again, it goes on."""
    from impress_ui.experiments.report import as_text, count_of_failed

    sections: dict[str, dict[str, Any]] = {"run": run}
    options = dict(
        photographs=photographs, split=split, paper_photographs=paper_photographs, budgets=budget or None,
        attacks=attack or None, artists=artists, paper_artists=paper_artists, checkpoints=checkpoints or None,
    )  # fmt: skip
    fields: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if vary:
        fields["vary"] = dict(assignment(text, listed=True) for text in vary)
    fields |= assigned(set_, sections)
    kind = table.find_experiment(name).settings
    given = kind.model_validate({"experiment": name, **(read_data(settings) if settings else {})})
    chosen = given.overridden(sections, **fields)
    if idle := [section for section in sections if section not in chosen.used]:
        raise UserError(f"The experiment {name} does not use the settings of {' and '.join(idle)}, as it stands.")
    report = table.run_experiment(name, chosen, output, log)
    if report is None:  # another process has it
        return
    if json:
        print_report(report, True)
    else:
        print(as_text(report))
        log(f"The report is {output / name}.html")
    if report["failed"]:
        first = report["failed"][0]
        raise UserError(f"{count_of_failed(report)}; the first, {first['unit']}: {first['error']}")
