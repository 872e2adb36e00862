"""From any exception to the one sentence that a person is shown."""

from __future__ import annotations

import logging
import sys

import gradio as gr
from pydantic import ValidationError

from impress_ui.core.errors import UserError
from impress_ui.settings import sentence_of

logger = logging.getLogger(__name__)


def explain(error: Exception) -> str:
    """What went wrong, in a sentence; what is no mistake of the person's goes to the log in full."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, gr.Error):  # explained already, where it happened
        return str(error.message)
    if isinstance(error, ValidationError):
        return sentence_of(error)
    if _out_of_memory(error):
        return "There is not enough memory for this: choose a smaller working size, or the embedded checkpoint."
    logger.error("A job failed", exc_info=error)
    return "Something went wrong inside the program; its log has the details. Your pictures and settings are kept."


def _out_of_memory(error: Exception) -> bool:
    torch = sys.modules.get("torch")
    return isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError))
