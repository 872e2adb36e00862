"""The command about settings as documents."""

from __future__ import annotations

from typing import Annotated

import typer

from impress_ui.cli.report import print_report
from impress_ui.cli.shared import AsJson, app
from impress_ui.jobs.documents import read_settings, to_json, to_query


@app.command()
def settings(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="A PNG saved by this program, a JSON file, a share link, or a preset.")
    ],
    link: Annotated[
        bool, typer.Option("--link", help="Print a link's query instead: add it to the page's address.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Print the settings that a file, a link or a preset stands for, checked and in full."""
    job = read_settings(source)
    query = to_query(job)
    summary = f"?{query}" if link else to_json(job).rstrip()
    print_report(
        {"command": "settings", "settings": job.model_dump(mode="json"), "link": f"?{query}", "summary": summary}, json
    )
