"""The command that opens the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from impress_ui.cli.report import log, print_report
from impress_ui.cli.shared import AsJson, app
from impress_ui.paths import DEMO


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
    from impress_ui.ui.environment import check_environment, without_stubs

    check_environment()
    with without_stubs():
        from impress_ui.ui.app import build_app, launch

    launch(build_app(), host=host, port=port, checkpoints=checkpoints or (), mcp=mcp)


@app.command()
def demo(
    write: Annotated[Path, typer.Option(help="The folder for it; what is in it is replaced.")] = DEMO,
    json: AsJson = False,
) -> None:
    """Compute anew the finished runs that the page opens on."""
    from impress_ui.ui.demo import write as write_demo

    for part in write_demo(write):
        log(f"The example: {part}")
    files = sorted(path.name for path in write.iterdir())
    size = sum(path.stat().st_size for path in write.iterdir())
    summary = f"{len(files)} files, {size / 1e6:.2f} MB, in {write}"
    print_report({"command": "demo", "folder": str(write), "files": files, "bytes": size, "summary": summary}, json)
