"""From any exception to the one sentence that a person is shown."""

from __future__ import annotations

import errno
import html
import logging

import gradio as gr
from pydantic import ValidationError

from impress_ui.errors import UserError
from impress_ui.models.shortage import is_out_of_memory, release, what_would_fit
from impress_ui.settings import JobSettings, sentence_of

logger = logging.getLogger(__name__)


def explain(error: Exception, job: JobSettings | None = None) -> str:
    """What went wrong, in a sentence; what is no mistake of the person's goes to the log in full.

    Args:
        job: what was wanted, where that is known.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, gr.Error):  # explained already, where it happened
        return str(error.message)
    if isinstance(error, ValidationError):
        return sentence_of(error)
    if is_out_of_memory(error):
        logger.warning("A job ran out of memory: %s", error)
        release(error)
        return what_would_fit(job)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk of this machine is full; what was done before is kept."
    logger.error("A job failed", exc_info=error)
    return "Something went wrong inside the program; its log has the details. Your pictures and settings are kept."


def toast(sentence: str) -> gr.Error:
    """The exception that shows the sentence at the page's edge, to be raised; Gradio takes its message for markup."""
    return gr.Error(html.escape(sentence, quote=False), print_exception=False)


def warn(sentence: str) -> None:
    """Show the sentence at the page's edge, and go on."""
    gr.Warning(html.escape(sentence, quote=False), title="Not done")
