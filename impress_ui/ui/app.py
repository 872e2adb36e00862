"""Building the page and putting it on the network."""

from __future__ import annotations

import importlib.util
import logging
import threading
import time
from collections.abc import Sequence

import gradio as gr
from starlette.middleware import Middleware

from impress_ui.errors import UserError
from impress_ui.paths import ASSETS, PHOTOS
from impress_ui.settings.presets import EXAMPLES
from impress_ui.ui import demo as example
from impress_ui.ui.api import connect_api
from impress_ui.ui.blocks import Blocks
from impress_ui.ui.engine import load_engine
from impress_ui.ui.environment import check_address
from impress_ui.ui.handlers import Handlers
from impress_ui.ui.layout import build_page
from impress_ui.ui.packed import Packed, WithHead
from impress_ui.ui.page import register
from impress_ui.ui.poster import poster
from impress_ui.ui.public import HOST, address_of
from impress_ui.ui.record import KEPT, sweep
from impress_ui.ui.rooms.history.keep import Keep
from impress_ui.ui.theme import STYLES, faces, scripts, theme
from impress_ui.ui.zero_gpu import ON_ZERO_GPU, measured

CLEANED_EVERY = 600  # seconds
# Waiting jobs hold a thread each, and the buttons beside them need some.
THREADS = 64


def build_app() -> gr.Blocks:
    """The page with its handlers and its API; nothing is loaded or computed yet."""
    blocks = Blocks(
        title="IMPRESS: protect, reconstruct, purify, edit",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(CLEANED_EVERY, KEPT),
    )
    with blocks:
        page = build_page()
        example.fill(page)
        register(page)
        handlers, keep = Handlers(page), Keep(page)
        handlers.connect(blocks)
        for change in keep.connect():
            handlers.shows_after(change)
        keep.connect_examples(page.examples.dataset)
        connect_api()
    return blocks.queue(default_concurrency_limit=4, max_size=64)


def launch(
    demo: gr.Blocks,
    host: str | None = None,
    port: int | None = None,
    *,
    checkpoints: Sequence[str] = (),
    mcp: bool = False,
) -> None:
    """Serve the page until interrupted. It answers at once; the model is loaded behind it.

    Args:
        host: address to listen on; None for GRADIO_SERVER_NAME, or this machine alone (a Space: everywhere).
        port: None for GRADIO_SERVER_PORT, or the first free one from 7860.
        checkpoints: hub ids and folders that visitors may choose where others than this machine's users come.
        mcp: also serve the API as tools of the Model Context Protocol, under /gradio_api/mcp/.

    Raises:
        UserError: the port is taken, or a package that MCP needs is not there.
    """
    if mcp and importlib.util.find_spec("mcp") is None:
        raise UserError("MCP needs one more package: pip install 'gradio[mcp]'.")
    logging.getLogger("diffusers").setLevel(logging.ERROR)
    address = address_of(host)
    check_address(address)
    HOST.listens(address, checkpoints)
    sweep()
    if ON_ZERO_GPU:  # before anything can fork, so that no worker is born while a lock is held
        measured()  # an odd file is told in the log at once
        _warm_up()
    try:
        demo.launch(
            server_name=address,
            server_port=port,
            theme=theme(),
            css_paths=list(STYLES),
            js=scripts(),
            head=faces(),
            favicon_path=ASSETS / "favicon.svg",
            share=False,
            show_error=False,
            enable_monitoring=False,
            mcp_server=mcp,
            run_history=False,  # it would keep visitors' pictures; results carry their settings in the file instead
            footer_links=["api", "settings"],
            max_file_size="40mb",
            max_threads=THREADS,
            app_kwargs={"middleware": [Middleware(Packed), Middleware(WithHead, head=poster(demo))]},
            state_session_capacity=200,
            ssr_mode=False,
            prevent_thread_lock=True,
            quiet=True,
        )
    except OSError:
        raise UserError(f"Port {port or 'from 7860 on'} of {address} is taken; choose another one.") from None
    print(f"The page is at {demo.local_url}", flush=True)
    if not ON_ZERO_GPU:
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    threading.Thread(target=_clean, name="clean", daemon=True).start()
    demo.block_thread()


def _clean() -> None:
    """Callers without a session cannot be seen to leave; what was made for them goes by its age."""
    while True:
        time.sleep(CLEANED_EVERY)
        sweep()


def _warm_up() -> None:
    load_engine()
    from impress_ui.ui.runs import warm_up

    warm_up(PHOTOS / "test" / f"{next(iter(EXAMPLES))}.jpg")
