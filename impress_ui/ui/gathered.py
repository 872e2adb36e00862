"""All knobs as one input of an event.

Once an event has ended, Gradio 6.31 keeps every one of its inputs on a list, and looks each of the list up in the whole
page at every step of every later event. With 150 knobs among the inputs that is most of what a run costs the browser
besides its pictures; so the browser itself puts the knobs' values into one text first, and the event reads that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from gradio.components import Component

from impress_ui.ui.page import PRIVATE, Page, Values

GATHER = "(...values) => JSON.stringify(values)"


def gathering(page: Page, event: Callable[..., Any]) -> Callable[..., Any]:
    """What follows ``event`` once the browser has gathered the knobs: a listener of Gradio's, as ``event`` is one.

    Args:
        event: a listener: ``button.click``, ``knob.change``, ``change.then``.
    """
    return event(None, [*page.knobs.values()], [page.gathered], js=GATHER, **PRIVATE).then


def with_knobs(page: Page, inputs: Collection[Component] = ()) -> set[Component]:
    """The inputs of an event that reads every knob."""
    return {page.gathered, *inputs}


def knobs_from(page: Page, values: Values) -> Values:
    """What the inputs hold, and what the knobs held when the event began.

    What a widget would refuse, an empty slider or a number out of its range, stays as it is: the settings say what is
    wrong with it in a sentence, and only where the knob counts.
    """
    knobs = page.knobs.values()
    held = zip(knobs, json.loads(values[page.gathered]), strict=True)
    return {**values, **{knob: _read(knob, value) for knob, value in held}}


def _read(knob: Component, value: Any) -> Any:
    try:
        return knob.preprocess(value)
    except Exception:  # Gradio raises several kinds, in words of its own
        return value
