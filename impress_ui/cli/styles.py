"""The commands about styles: say which one pictures have, and imitate one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impress_ui.cli.given import Given
from impress_ui.cli.places import place
from impress_ui.cli.report import Report
from impress_ui.cli.shared import Options, job_command
from impress_ui.settings import ClassifySettings, MimicSettings
from impress_ui.settings.learn import LearnSettings


@job_command(without=["size"], stored=False, classify=Options(ClassifySettings))
def classify(
    sources: Annotated[list[Path], typer.Argument(metavar="IN", help="Pictures, and folders of pictures.")],
    truth: Annotated[
        str | None, typer.Option(help="The class that all of them are of: the accuracy is told too.")
    ] = None,
    *,
    given: Given,
) -> Report:
    """Say which style or artist pictures look like, and how often that is the true one."""
    from impress_ui.cli import classification

    settings = ClassifySettings.model_validate(given.sections.pop("classify"))  # no section of a job
    return classification.classify_files(sources, settings, given.job().run, truth=truth)


@job_command(without=["size", "precision", "lora"], stored=False, learn=Options(LearnSettings))
def train_purifier(
    pairs: Annotated[
        tuple[Path, Path],
        typer.Option(metavar="CLEAN PROTECTED", help="Two folders of pictures; each pair has one name in both."),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT", parser=place, help="The .safetensors file of what it learnt."),
    ],
    *,
    given: Given,
) -> Report:
    """Teach the learned purifier what a tool adds, from a few pictures as they were and as that tool protected them.

    Five to ten pairs do. Purify with what it learnt by: purify IN -o OUT --method learned --learned-weights FILE.
    """
    from impress_ui.cli import learning

    settings = LearnSettings.model_validate(given.sections.pop("learn"))  # no section of a job
    return learning.train_files(*pairs, output, settings, given.job().run)


@job_command(others=("generate",), mimic=Options(MimicSettings))
def mimic(
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT", parser=place, help="The folder of the imitations and the model."),
    ],
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
    *,
    given: Given,
) -> Report:
    """Fine-tune the model on an artist's pictures and make new ones in that style."""
    from impress_ui.cli import imitations

    return imitations.mimic_files(source, output, given.job(), artist=artist, prompts=prompt or (), adapter=adapter)
