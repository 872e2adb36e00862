"""The commands that run the sampler: edit and generate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.shared import (
    AsJson,
    Inputs,
    Output,
    SettingsFile,
    app,
    job_of,
    options_of,
    print_report,
    run_options,
)
from impress_ui.settings import EditSettings, GenerateSettings


@app.command()
@options_of(EditSettings, "knobs", sampling_steps="steps")
@run_options()
def edit(
    sources: Inputs,
    output: Output,
    reference: Annotated[
        Path | None,
        typer.Option(help="The picture whose edit the others are measured against. Default: the first of several."),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="A picture whose white parts are repainted; implies --mode inpaint.")
    ] = None,
    knobs: Any = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Edit pictures by text, all with the same noise: an original and what was made of it, say."""
    from impress_ui.cli import samples

    if mask is not None:
        knobs.setdefault("mode", "inpaint")
    job = job_of(settings, run=run, edit=knobs)
    print_report(samples.edit_files(sources, output, job, reference=reference, mask=mask), json)


@app.command()
@options_of(GenerateSettings, "knobs", sampling_steps="steps")
@run_options("size")
def generate(
    output: Output,
    knobs: Any = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Make pictures from text alone, from the seeds SEED, SEED + 1, ..."""
    from impress_ui.cli import samples

    job = job_of(settings, run=run, generate=knobs)
    print_report(samples.generate_files(output, job), json)
