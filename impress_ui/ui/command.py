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
    checkpoints: Annotated[
        list[str] | None,
        typer.Option("--offer", help="A hub id or folder that visitors from elsewhere may choose too; again for more."),
    ] = None,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Also serve the endpoints as tools for agents (MCP); needs gradio[mcp].")
    ] = False,
) -> None:
    """Open the page; visitors from elsewhere can choose no checkpoint but the embedded one, and those offered."""
    from impress_ui.ui.app import build_app, launch

    launch(build_app(), host=host, port=port, checkpoints=checkpoints or (), mcp=mcp)
