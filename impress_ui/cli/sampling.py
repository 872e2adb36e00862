"""The commands that run the sampler: edit and generate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impress_ui.cli.given import Given
from impress_ui.cli.report import Report
from impress_ui.cli.shared import Inputs, Options, Output, job_command
from impress_ui.errors import UserError
from impress_ui.settings import EditSettings, GenerateSettings

SHORT = {"sampling_steps": "steps"}


@job_command(edit=Options(EditSettings, names=SHORT))
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
    *,
    given: Given,
) -> Report:
    """Edit pictures by text, all with the same noise: an original and what was made of it, say."""
    from impress_ui.cli import samples

    if mask is not None and given.sections["edit"].setdefault("mode", "inpaint") != "inpaint":
        raise UserError("A mask is for --mode inpaint; the mode that was given repaints the whole picture.")
    return samples.edit_files(sources, output, given.job(), reference=reference, mask=mask)


@job_command(without=["size"], generate=Options(GenerateSettings, names=SHORT))
def generate(output: Output, *, given: Given) -> Report:
    """Make pictures from text alone, from the seeds SEED, SEED + 1, ..."""
    from impress_ui.cli import samples

    return samples.generate_files(output, given.job())
