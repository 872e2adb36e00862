"""The page's first answer: what is seen before its scripts have run, and all of it packed.

It carries every widget with its words, a megabyte that packs to a sixth.
"""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PACKED = ("/", "/config")  # pictures are packed already, and what streams must not wait to be


class Packed:
    """ASGI middleware: gzip for the page and its configuration, where the browser takes it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.packing = app, GZipMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        packs = scope["type"] == "http" and scope["path"] in PACKED
        await (self.packing if packs else self.app)(scope, receive, send)


class WithHead:
    """ASGI middleware: more for the page's head, at once: Gradio's own ``head`` is put in by its scripts."""

    def __init__(self, app: ASGIApp, head: str) -> None:
        self.app, self.head = app, head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        begun: Message = {}
        body = b""

        async def put_in(message: Message) -> None:
            nonlocal begun, body
            if message["type"] == "http.response.start":
                begun = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            whole = body.replace(b"</head>", self.head + b"</head>", 1)
            kept = [(name, value) for name, value in begun["headers"] if name.lower() != b"content-length"]
            await send({**begun, "headers": [*kept, (b"content-length", str(len(whole)).encode())]})
            await send({"type": "http.response.body", "body": whole})

        await self.app(scope, receive, put_in)
