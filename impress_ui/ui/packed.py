"""The page's first answer, packed: it carries every widget with its words, a megabyte that packs to a sixth."""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PACKED = ("/", "/config")  # pictures are packed already, and what streams must not wait to be


class Packed:
    """ASGI middleware: gzip for the page and its configuration, where the browser takes it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.packing = app, GZipMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        packs = scope["type"] == "http" and scope["path"] in PACKED
        await (self.packing if packs else self.app)(scope, receive, send)
