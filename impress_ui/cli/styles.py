"""The commands about styles: say which one pictures have, and imitate one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.shared import (
    AsJson,
    Output,
    SettingsFile,
    app,
    job_of,
    option,
    print_report,
    run_options,
)
from impress_ui.settings import ClassifySettings, MimicSettings


@app.command()
@run_options("size")
def classify(
    sources: Annotated[list[Path], typer.Argument(metavar="IN", help="Pictures, and folders of pictures.")],
    truth: Annotated[
        str | None, typer.Option(help="The class that all of them are of: the accuracy is told too.")
    ] = None,
    model: Annotated[str | None, option(ClassifySettings, "model")] = None,
    classes: Annotated[
        str | None, typer.Option(help="The classes to choose from, with commas between. Default: styles and artists.")
    ] = None,
    top_k: Annotated[int | None, option(ClassifySettings, "top_k")] = None,
    preset: Annotated[str | None, option(ClassifySettings, "preset")] = None,
    method: Annotated[str | None, option(ClassifySettings, "method")] = None,
    run: Any = None,
    json: AsJson = False,
) -> None:
    """Say which style or artist pictures look like, and how often that is the true one."""
    from impress_ui.cli import batch_classify

    given = dict(
        model=model,
        classes=None if classes is None else tuple(name.strip() for name in classes.split(",")),
        top_k=top_k,
        preset=preset,
        method=method,
    )
    settings = ClassifySettings.model_validate({name: value for name, value in given.items() if value is not None})
    run = job_of(None, run=run).run
    report = batch_classify.classify_files(sources, settings, run, truth=truth)
    print_report(report, json)
    if not json and "accuracy" in report:
        print(report["accuracy"]["summary"])


@app.command()
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
    preset: Annotated[str | None, option(MimicSettings, "preset")] = None,
    works: Annotated[int | None, option(MimicSettings, "works")] = None,
    imitations: Annotated[int | None, option(MimicSettings, "imitations")] = None,
    tuning: Annotated[str | None, option(MimicSettings, "tuning")] = None,
    rank: Annotated[int | None, option(MimicSettings, "rank")] = None,
    steps: Annotated[int | None, option(MimicSettings, "steps")] = None,
    batch: Annotated[int | None, option(MimicSettings, "batch")] = None,
    learning_rate: Annotated[float | None, option(MimicSettings, "learning_rate")] = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Fine-tune the model on an artist's pictures and make new ones in that style."""
    from impress_ui.cli import batch_mimic

    job = job_of(
        settings,
        run=run,
        mimic=dict(
            preset=preset, works=works, imitations=imitations, tuning=tuning, rank=rank, steps=steps, batch=batch,
            learning_rate=learning_rate,
        ),
    )  # fmt: skip
    report = batch_mimic.mimic_files(source, output, job, artist=artist, prompts=prompt or (), adapter=adapter)
    print_report(report, json)
