"""The commands about styles: say which one pictures have, and imitate one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.shared import (
    AsJson,
    Output,
    Set,
    SettingsFile,
    app,
    job_of,
    options_of,
    print_report,
    run_options,
)
from impress_ui.settings import ClassifySettings, MimicSettings


@app.command()
@options_of(ClassifySettings, "knobs")
@run_options("size")
def classify(
    sources: Annotated[list[Path], typer.Argument(metavar="IN", help="Pictures, and folders of pictures.")],
    truth: Annotated[
        str | None, typer.Option(help="The class that all of them are of: the accuracy is told too.")
    ] = None,
    knobs: Any = None,
    run: Any = None,
    json: AsJson = False,
) -> None:
    """Say which style or artist pictures look like, and how often that is the true one."""
    from impress_ui.cli import classification

    settings = ClassifySettings.model_validate(knobs)
    run = job_of(None, run=run).run
    report = classification.classify_files(sources, settings, run, truth=truth)
    print_report(report, json)
    if not json and "accuracy" in report:
        print(report["accuracy"]["summary"])


@app.command()
@options_of(MimicSettings, "knobs")
@run_options()
def mimic(
    output: Output,
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[IN]", help="A folder of an artist's pictures, with captions.txt or without."),
    ] = None,
    artist: Annotated[
        str, typer.Option(help="What captions call the artist; without IN, one of the artists that come along.")
    ] = "the artist",
    prompt: Annotated[
        list[str] | None, typer.Option(help="A picture to make, in words; again for more. Default: the captions.")
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option(help="The folder of an earlier fine-tuning: make pictures only.")
    ] = None,
    knobs: Any = None,
    set_: Set = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Fine-tune the model on an artist's pictures and make new ones in that style."""
    from impress_ui.cli import imitations

    job = job_of(settings, set_, run=run, mimic=knobs)
    report = imitations.mimic_files(source, output, job, artist=artist, prompts=prompt or (), adapter=adapter)
    print_report(report, json)
