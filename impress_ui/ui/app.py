"""Building the page and putting it on the network."""

from __future__ import annotations

import logging
import threading

import gradio as gr

from impress_ui.core.errors import UserError
from impress_ui.paths import ASSETS, PHOTOS
from impress_ui.presets import EXAMPLES
from impress_ui.ui.api import connect_api
from impress_ui.ui.explore_handlers import connect_explore
from impress_ui.ui.handlers import Handlers
from impress_ui.ui.keep import Keep
from impress_ui.ui.layout import build_page
from impress_ui.ui.page import ON_SPACES, register
from impress_ui.ui.record import sweep
from impress_ui.ui.theme import STYLES, scripts, theme
from impress_ui.ui.zero_gpu import ON_ZERO_GPU

HOUR = 3600


def build_app() -> gr.Blocks:
    """The page with its handlers and its API; nothing is loaded or computed yet."""
    demo = gr.Blocks(
        title="IMPRESS: protect, reconstruct, purify, edit",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(HOUR, 24 * HOUR),
    )
    with demo:
        page = build_page()
        register(page)
        Handlers(page).connect(demo)
        connect_explore(page)
        keep = Keep(page)
        keep.connect()
        keep.connect_examples(page.examples.dataset)
        connect_api()
    return demo.queue(default_concurrency_limit=4, max_size=64)


def launch(demo: gr.Blocks, host: str | None = None, port: int | None = None) -> None:
    """Serve the page until interrupted. It answers at once; the model is loaded behind it.

    Args:
        host: address to listen on; None for GRADIO_SERVER_NAME, or this machine alone (a Space: everywhere).
        port: None for GRADIO_SERVER_PORT, or the first free one from 7860.

    Raises:
        UserError: the port is taken.
    """
    logging.getLogger("diffusers").setLevel(logging.ERROR)
    sweep()
    if ON_ZERO_GPU:  # before anything can fork, so that no worker is born while a lock is held
        _warm_up()
    try:
        demo.launch(
            server_name=host or ("0.0.0.0" if ON_SPACES else None),
            server_port=port,
            theme=theme(),
            css_paths=list(STYLES),
            js=scripts(),
            favicon_path=ASSETS / "favicon.svg",
            share=False,
            show_error=False,
            enable_monitoring=False,
            run_history=False,  # it would keep visitors' pictures; results carry their settings in the file instead
            footer_links=["api", "settings"],
            max_file_size="40mb",
            state_session_capacity=200,
            ssr_mode=False,
            prevent_thread_lock=True,
            quiet=True,
        )
    except OSError:
        raise UserError(f"Port {port} of {host or 'this machine'} is taken; choose another one.") from None
    print(f"The page is at {demo.local_url}", flush=True)
    if not ON_ZERO_GPU:
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    demo.block_thread()


def _warm_up() -> None:
    from impress_ui.ui.runs import warm_up

    warm_up(PHOTOS / "test" / f"{next(iter(EXAMPLES))}.jpg")
