"""The commands that print a table of the README, and that open the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impress_ui.cli.shared import (
    AsJson,
    Checkpoint,
    DeviceName,
    PrecisionName,
    Seed,
    SettingsFile,
    Size,
    app,
    job_of,
    log,
    print_report,
)


@app.command()
def experiment(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="purification, editing, style, classifier, detector or autoencoder.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the table (CSV, JSON) and pictures.")
    ] = Path("outputs"),
    photographs: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many photographs of the split.")
    ] = None,
    paper_photographs: Annotated[
        int, typer.Option(min=0, help="Photographs on which the paper recipes run too: ten minutes each on two cores.")
    ] = 1,
    budget: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=64, help="Budget in grey levels; give it again for more. Default: 8 and 16; editing: 16."
        ),
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(help="Of 'editing': encoder or diffusion; more than once for more. Default: both."),
    ] = None,
    artists: Annotated[
        int | None, typer.Option(min=1, help="Of 'style': only the first so many artists. Default: all.")
    ] = None,
    paper_artists: Annotated[
        int, typer.Option(min=0, help="Of 'style': artists whose works the paper recipe purifies too, an hour each.")
    ] = 0,
    split: Annotated[
        str, typer.Option(help="'test' for reported figures, 'validation' for choosing recipes.")
    ] = "test",
    checkpoint: Checkpoint = None,
    size: Size = None,
    seed: Seed = None,
    device: DeviceName = None,
    precision: PrecisionName = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Print one of the tables of the README, measured on photographs that no training has seen."""
    from impress_ui.core.experiments import Plan, as_text, run_experiment

    job = job_of(settings, run=dict(checkpoint=checkpoint, size=size, seed=seed, device=device, precision=precision))
    plan = Plan(
        job, output, split, photographs, paper_photographs, log=log,  # type: ignore[arg-type]
        budgets=tuple(budget) if budget else None, attacks=tuple(attack) if attack else None,
        artists=artists, paper_artists=paper_artists,
    )  # fmt: skip
    report = run_experiment(name, plan)
    if json:
        print_report(report, True)
    else:
        print(as_text(report))


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 shows the page to your network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
    checkpoints: Annotated[
        list[str] | None,
        typer.Option("--offer", help="A hub id or folder that visitors from elsewhere may choose too; again for more."),
    ] = None,
) -> None:
    """Open the page; visitors from elsewhere can choose no checkpoint but the embedded one, and those offered."""
    from impress_ui.ui.app import build_app, launch

    launch(build_app(), host=host, port=port, checkpoints=checkpoints or ())
