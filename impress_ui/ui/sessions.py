"""Who a visitor is: what keeps one visitor's jobs and files apart from another's."""

from __future__ import annotations

import hashlib
import uuid

import gradio as gr


def session_of(request: gr.Request) -> str:
    """The session of a page or of a client; a bare HTTP call has none, so each is a visitor of its own."""
    return request.session_hash or uuid.uuid4().hex


def drop_state(demo: gr.Blocks, session: str) -> None:
    """Forget what Gradio keeps of a closed page: a copy of every widget, a mebibyte, for as long as it runs.

    Gradio frees the values after an hour, and the copy only when 200 newer sessions have come.
    """
    holder = demo.state_holder
    with holder.lock:
        holder.session_data.pop(session, None)
        holder.time_last_used.pop(session, None)


def folder_name(session: str) -> str:
    """A name that no other session has; what the visitor sent is never part of a path."""
    return hashlib.sha256(session.encode(errors="surrogatepass")).hexdigest()[:32]
