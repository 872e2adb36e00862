"""The commands that ask whether a protection holds, and what its settings do: stress and explore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impress_ui.cli.given import Given
from impress_ui.cli.places import place
from impress_ui.cli.report import Report
from impress_ui.cli.shared import Mask, Options, job_command
from impress_ui.settings import EditSettings, ExploreSettings, StressSettings
from impress_ui.settings.explore import NOTHING
from impress_ui.settings.sweep import default_range, swept_names

Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", parser=place, help="Folder for pictures, table and chart."),
]


@job_command(others=("purify",), stress=Options(StressSettings), edit=Options(EditSettings, ["prompt"]))
def stress(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The protected picture.")],
    original: Annotated[
        Path | None, typer.Option(help="The same picture unprotected, if you have it: the figures then mean more.")
    ] = None,
    output: Folder = None,
    *,
    given: Given,
) -> Report:
    """Run a protected picture through all purifiers and say what survives, and at what price."""
    from impress_ui.cli import items

    return items.stress_file(picture, output, given.job(), original=original)


@job_command(mask=True, others=("protect", "purify"), explore=Options(ExploreSettings))
def explore(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The unprotected picture.")],
    protected: Annotated[
        Path | None, typer.Option(help="The same picture protected already, to vary the purification alone.")
    ] = None,
    target_image: Annotated[Path | None, typer.Option(help="The picture for the target 'image'.")] = None,
    output: Folder = None,
    mask: Mask = None,
    *,
    given: Given,
) -> Report:
    """Vary one or two settings over a picture: protect, purify and measure in every cell."""
    from impress_ui.cli import items

    knobs = given.sections["explore"]
    for axis in ("x", "y"):  # another setting brings a range of its own, as on the page
        if knobs.get(axis, NOTHING) in swept_names():
            low, high = default_range(knobs[axis])
            knobs.setdefault(f"{axis}_from", low)
            knobs.setdefault(f"{axis}_to", high)
    return items.explore_file(picture, output, given.job(), protected=protected, mask=mask, target=target_image)
