"""The commands that ask whether a protection holds, and what its settings do: stress and explore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from impress_ui.cli.shared import (
    AsJson,
    Mask,
    Set,
    SettingsFile,
    app,
    job_of,
    options_of,
    print_report,
    run_options,
)
from impress_ui.settings import EditSettings, ExploreSettings, StressSettings
from impress_ui.settings.explore import NOTHING
from impress_ui.settings.sweep import default_range, swept_names

Folder = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for pictures, table and chart.")
]


@app.command()
@options_of(StressSettings, "knobs")
@options_of(EditSettings, "edit", ["prompt"])
@run_options()
def stress(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The protected picture.")],
    original: Annotated[
        Path | None, typer.Option(help="The same picture unprotected, if you have it: the figures then mean more.")
    ] = None,
    output: Folder = None,
    knobs: Any = None,
    edit: Any = None,
    set_: Set = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Run a protected picture through all purifiers and say what survives, and at what price."""
    from impress_ui.cli import items

    job = job_of(settings, set_, run=run, stress=knobs, edit=edit)
    print_report(items.stress_file(picture, output, job, original=original), json)


@app.command()
@options_of(ExploreSettings, "knobs")
@run_options(mask=True)
def explore(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The unprotected picture.")],
    protected: Annotated[
        Path | None, typer.Option(help="The same picture protected already, to vary the purification alone.")
    ] = None,
    target_image: Annotated[Path | None, typer.Option(help="The picture for the target 'image'.")] = None,
    output: Folder = None,
    knobs: Any = None,
    set_: Set = None,
    mask: Mask = None,
    run: Any = None,
    settings: SettingsFile = None,
    json: AsJson = False,
) -> None:
    """Vary one or two settings over a picture: protect, purify and measure in every cell."""
    from impress_ui.cli import items

    for axis in ("x", "y"):  # another setting brings a range of its own, as on the page
        if knobs.get(axis, NOTHING) in swept_names():
            low, high = default_range(knobs[axis])
            knobs.setdefault(f"{axis}_from", low)
            knobs.setdefault(f"{axis}_to", high)
    job = job_of(settings, set_, run=run, explore=knobs)
    report = items.explore_file(picture, output, job, protected=protected, mask=mask, target=target_image)
    print_report(report, json)
