"""Who a visitor is: what keeps one visitor's jobs and files apart from another's."""

from __future__ import annotations

import hashlib
import uuid

import gradio as gr


def session_of(request: gr.Request) -> str:
    """The session of a page or of a client; a bare HTTP call has none, so each is a visitor of its own."""
    return request.session_hash or uuid.uuid4().hex


def folder_name(session: str) -> str:
    """A name that no other session has; what the visitor sent is never part of a path."""
    return hashlib.sha256(session.encode(errors="surrogatepass")).hexdigest()[:32]
