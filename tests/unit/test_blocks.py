"""An update of the page says what Gradio itself would say, and leaves alone what it does not name."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import gradio as gr
import pytest
from gradio import component_meta
from gradio.state_holder import SessionState

from impress_ui.ui.blocks import Blocks
from impress_ui.ui.environment import without_stubs


def made(kind: type[gr.Blocks]) -> tuple[gr.Blocks, dict[str, Any]]:
    with kind(analytics_enabled=False) as blocks:
        parts = {
            "text": gr.Textbox(), "file": gr.File(), "button": gr.Button("Run"),
            "kept": gr.State(1), "html": gr.HTML("as it was"),
        }  # fmt: skip
        parts["button"].click(lambda: None, None, list(parts.values()))
    return blocks, parts


def told(blocks: gr.Blocks, answer: Any, state: SessionState) -> list[Any]:
    """What the browser is told of a handler's answer; in a thread of its own: a browser's test leaves an event loop."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(anyio.run, blocks.postprocess_data, blocks.fns[0], answer, state).result()


@pytest.mark.parametrize(
    "given",
    [
        {"text": "new"},
        {"text": "new", "kept": 2, "html": gr.update(value="changed")},
        {"button": gr.update(interactive=False, value="Stop")},
        {"text": gr.skip(), "kept": gr.update(value=3)},
        {"text": None},
    ],
)
def test_an_update_is_what_gradio_makes_of_it(given: dict[str, Any]) -> None:
    answers_of, kept = [], []
    for kind in (Blocks, gr.Blocks):
        blocks, parts = made(kind)
        state = SessionState(blocks)
        named = {parts[name]: dict(value) if isinstance(value, dict) else value for name, value in given.items()}
        answers = dict(zip(parts, told(blocks, named, state), strict=True))
        answers_of.append({name: answers[name] for name in given})
        kept.append(state[parts["kept"]._id])
        if kind is Blocks:
            others = set(parts) - set(given)
            assert all(answers[name] == (None if name == "kept" else gr.skip()) for name in others)
            assert all(state[parts[name]._id] is parts[name] for name in others - {"kept"})
    assert answers_of[0] == answers_of[1] and kept[0] == kept[1]


def test_other_answers_are_gradio_s_own() -> None:
    blocks, parts = made(Blocks)
    state = SessionState(blocks)
    everything = told(blocks, ["a", None, "Go", 5, "b"], state)
    assert everything == ["a", None, "Go", None, "b"] and state[parts["kept"]._id] == 5
    assert told(blocks, gr.skip(), state)[0] == gr.skip()
    with made(Blocks)[0]:
        stranger = gr.Textbox()
    with pytest.raises(ValueError, match="not specified as output"):
        told(blocks, {stranger: "x"}, state)


def test_no_type_hints_are_written_for_gradio_s_components_in_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(*_: object) -> str:
        raise InterruptedError

    monkeypatch.setattr(component_meta, "create_pyi", make)
    with without_stubs():
        component_meta.create_or_modify_pyi(gr.Number, "Number", [])
        assert Path(inspect.getfile(Path)).is_file()
    with pytest.raises(InterruptedError):
        component_meta.create_or_modify_pyi(gr.Number, "Number", [])
