"""Gradio's ``Blocks``, sparing the widgets that an update leaves as they are."""

from __future__ import annotations

import copy
from typing import Any

import gradio as gr


class Blocks(gr.Blocks):
    """A page whose updates cost what they change.

    A handler answers with a dict of what is new. Gradio 6.31 fills it up with ``gr.skip()`` for every other output and
    builds each of those widgets anew, with its JSON schema, twice: 35 ms an update of this page's fifty outputs.
    """

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What the browser is told of each of ``block_fn``'s outputs: of one that is not named, that it stays."""
        named = [block for block in block_fn.outputs if block in predictions] if isinstance(predictions, dict) else []
        if not named or len(named) < len(predictions):  # another kind of answer, or a widget that is no output
            return await super().postprocess_data(block_fn, predictions, state)
        partly = copy.copy(block_fn)
        partly.outputs = named
        values = [predictions[block] for block in named]
        told = await super().postprocess_data(partly, values[0] if len(values) == 1 else values, state)
        answers = dict(zip(named, told, strict=True))
        return [answers[block] if block in answers else _stays(block) for block in block_fn.outputs]


def _stays(block: gr.blocks.Block) -> dict[str, Any] | None:
    return None if block.stateful else gr.skip()
