"""The command that asks whether a protection holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.shared import (
    AsJson,
    SettingsFile,
    app,
    job_of,
    option,
    print_report,
    run_options,
)
from impress_ui.settings import EditSettings, StressSettings


@app.command()
@run_options()
def stress(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The protected picture.")],
    original: Annotated[
        Path | None, typer.Option(help="The same picture unprotected, if you have it: the figures then mean more.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for pictures, table and scatter.")
    ] = None,
    purifiers: Annotated[str | None, option(StressSettings, "purifiers")] = None,
    edits: Annotated[bool | None, option(StressSettings, "edits", "--edits/--no-edits")] = None,
    twins: Annotated[bool | None, option(StressSettings, "twins", "--twins/--no-twins")] = None,
    prompt: Annotated[str | None, option(EditSettings, "prompt")] = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Run a protected picture through all purifiers and say what survives, and at what price."""
    from impress_ui.cli import batch_stress

    job = job_of(
        settings,
        run=run,
        stress=dict(purifiers=purifiers, edits=edits, twins=twins),
        edit=dict(prompt=prompt),
    )
    print_report(batch_stress.stress_file(picture, output, job, original=original), json)
