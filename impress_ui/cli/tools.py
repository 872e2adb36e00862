"""The command that opens the page."""

from __future__ import annotations

from typing import Annotated

import typer

from impress_ui.cli.shared import app


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 shows the page to your network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
) -> None:
    """Open the page."""
    from impress_ui.ui.app import build_app, launch

    launch(build_app(), host=host, port=port)
