"""Which widget does what. Torch and the engine are imported inside, so that the page is ready before they are."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import gradio as gr
from gradio.components import Component

from impress_ui.settings import SECTIONS, JobSettings, Settings
from impress_ui.ui import views
from impress_ui.ui.engine import load_engine
from impress_ui.ui.forms import chosen, counting, job_from_widgets
from impress_ui.ui.gathered import gathering, knobs_from, with_knobs
from impress_ui.ui.page import DEVICE, PRIVATE, Page, Update, Values
from impress_ui.ui.record import PICTURES, Record, forget
from impress_ui.ui.rooms.edit import views as edit_views
from impress_ui.ui.rooms.history.runs import HISTORIES
from impress_ui.ui.rooms.story import compare
from impress_ui.ui.sessions import drop_state, session_of

# What the estimates of the path and of the edits depend on; the rooms name their own.
HINTED = (
    ("run", "size"), ("run", "whole"), ("protect", "method"), ("protect", "steps"), ("protect", "attacked_steps"),
    ("protect", "attacked_prompt"), ("protect", "repetitions"), ("protect", "adaptive"),
    ("protect", "robust_to"), ("protect", "draws"),
    ("purify", "steps"), ("purify", "method"), ("purify", "chain"),
    ("edit", "strength"), ("edit", "guidance"), ("edit", "sampling_steps"),
)  # fmt: skip
# Enter in a prompt presses the section's button, which is disabled while a job runs.
PRESS = "() => {{ const button = document.getElementById('{0}'); if (button && !button.disabled) button.click(); }}"
LAST_STEP = 60  # seconds that a closed tab's job may take to end


class Handlers:
    """The page's handlers; each takes what its input widgets hold and gives updates by widget."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def connect(self, demo: gr.Blocks) -> None:
        """Attach every handler of the page, and let the rooms attach theirs."""
        page = self.page
        pictures = [*page.shown, *page.after_job]
        self.hinting = [room for room in page.rooms.values() if room.hint is not None]
        self.pair_inputs = {page.record, page.left, page.right, page.part, page.gain, page.signed}
        self.pair_outputs = [page.slider, page.difference, page.figures]
        self.reconstruction_outputs = [page.panes["reconstructed"], page.captions["reconstructed"]]

        restored = [*page.knobs.values(), *(area for area, _ in page.areas.values())]
        opened = {page.upload, page.record, page.knobs["run", "size"]}
        new_outputs = [*pictures, *page.edits.values(), page.edit_status, page.mask, page.edit_mask, *restored]
        new_outputs += [*page.run_buttons, *page.stop_buttons]
        changes = [page.upload.change(self.open, opened, list(dict.fromkeys(new_outputs)), **PRIVATE)]
        for button, what in ((page.both, "both"), (page.protect, "protect"), (page.purify, "purify")):
            changes.append(self.starts(button, functools.partial(_story, what), page.run_inputs, page.shown))
        for what, button in page.live.items():
            job = functools.partial(_live, what)
            changes.append(self.starts(button, job, page.run_inputs, page.shown, trigger_mode="multiple"))
        edit_outputs = [page.edit_status, *page.shown[1:], *page.edits.values()]
        changes.append(self.starts(page.edit, _edits, [page.edit_mask], edit_outputs))
        for change in changes:
            self.shows_after(change)
        for room in page.rooms.values():
            room.connect(self)
        for stop in page.stop_buttons:
            stop.click(self.stop_job, None, [*page.stop_buttons], queue=False, **PRIVATE)
        for section, button in (("edit", "edit-run"), ("generate", "generate-run")):
            page.knobs[section, "prompt"].submit(None, js=PRESS.format(button), **PRIVATE)
        # What it costs is said before the first click; not through the queue, which an opening page leaves alone.
        self.hints_on(demo.load, queue=False)
        self.demo = demo
        demo.unload(self.leave)

        for section, model in SECTIONS.items():
            self.shows_what_counts(section, model)
        hinted = dict.fromkeys((*HINTED, *(knob for room in page.rooms.values() for knob in room.hinted)))
        turned = functools.partial(gr.on, [page.knobs[knob].change for knob in hinted])
        self.hints_on(turned, trigger_mode="always_last")
        page.knobs["edit", "mode"].change(self.mode, [page.knobs["edit", "mode"]], [page.edit_painting], **PRIVATE)
        for widget in (page.left, page.right, page.part, page.gain, page.signed):
            widget.change(self.pair, self.pair_inputs, self.pair_outputs, trigger_mode="always_last", **PRIVATE)
        page.reconstruction_of.change(
            self.reconstruction, {page.record, page.reconstruction_of}, self.reconstruction_outputs, **PRIVATE
        )  # fmt: skip

    def starts(
        self, button: gr.Button, job: Callable[[Page, Values, str], Any], inputs: Iterable[Component],
        outputs: Iterable[Component], trigger_mode: Literal["once", "multiple"] = "once",
    ) -> Any:  # fmt: skip
        """A button that starts a job; ``job`` makes it of the page, of what the inputs hold, and of the session."""
        page = self.page

        def run(values: Values, request: gr.Request) -> Iterator[Update]:
            load_engine()
            begun = job(page, knobs_from(page, values), session_of(request))
            begun.outputs = every
            yield from begun.updates()

        every = list(dict.fromkeys([*outputs, *page.after_job]))
        read = with_knobs(page, {*page.settings, *inputs})
        clicked = gathering(page, button.click)
        return clicked(run, read, every, trigger_mode=trigger_mode, **DEVICE, **PRIVATE)

    def hints_on(self, event: Callable[..., Any], **options: Any) -> None:
        """Tell anew what every run will take."""
        page = self.page
        hints = [page.both, page.hint, page.edit_hint, *(room.hint for room in self.hinting)]
        gathering(page, event)(self.expected, with_knobs(page, page.settings), hints, **options, **PRIVATE)

    def hints_after(self, change: Any) -> None:
        """The same, once something has run; and again, where it ran anew before the hints were there."""
        self.hints_on(change.then, trigger_mode="always_last")

    def shows_after(self, change: Any) -> None:
        """Show what the pickers ask for by then, once the pictures have changed; a run knows how they stood before."""
        inputs = {*self.pair_inputs, self.page.reconstruction_of}
        outputs = [*self.pair_outputs, *self.reconstruction_outputs]
        change.then(self.picked, inputs, outputs, trigger_mode="always_last", **PRIVATE)
        self.hints_after(change)

    def stop_job(self, request: gr.Request) -> list[Any]:
        """Ask the session's job to end after its current step; it gives the buttons back itself."""
        from impress_ui.ui.runs import JOBS

        stopping = JOBS.stop(session_of(request))
        word = gr.update(value="Stopping…" if stopping else "Stop", interactive=False)
        return [word] * len(self.page.stop_buttons)

    def mode(self, mode: str) -> Any:
        """The mask is painted for inpainting only."""
        return gr.update(visible=mode == "inpaint")

    def leave(self, request: gr.Request) -> None:
        """The tab was closed: nobody waits for its job, nobody can fetch its files."""
        from impress_ui.ui.runs import JOBS

        session, deadline = session_of(request), time.monotonic() + LAST_STEP
        while JOBS.stop(session) and time.monotonic() < deadline:
            time.sleep(0.2)  # the step under way still saves its picture
        forget(session)
        HISTORIES.forget(session)
        for room in self.page.rooms.values():
            room.leave(session)
        drop_state(self.demo, session)

    def open(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """A new picture."""
        load_engine()
        from impress_ui.ui.opening import opened

        yield from opened(self.page, values, session_of(request))

    def shows_what_counts(self, section: str, model: type[Settings]) -> None:
        """A recipe and a method bring values; a knob shows while its method is picked and what it needs is there."""
        page, knobs = self.page, self.page.section(section)
        area, needs = page.areas.get(section, (None, ""))
        also = [] if area is None else [area]
        for choosing in {model.chooser, model.picker} - {""}:
            changed = dict.fromkeys(model.chosen_fields() if choosing == model.chooser else ())
            if choosing == model.picker:
                changed |= dict.fromkeys(model.counting())
            outputs = [*(knobs[name] for name in changed), *(also if choosing == model.picker else ())]
            self.updates_knobs(knobs[choosing].input, functools.partial(chosen, page, section, choosing), outputs)
        needed = dict.fromkeys([*model.needing().values(), *([needs.partition("=")[0]] if "=" in needs else [])])
        if needed:
            turned = functools.partial(gr.on, [knobs[name].change for name in needed])
            outputs = [*(knobs[name] for name in model.needing()), *also]
            self.updates_knobs(turned, functools.partial(counting, page, section), outputs, trigger_mode="always_last")

    def updates_knobs(
        self, event: Callable[..., Any], function: Callable[[Values], Update], outputs: list[Component], **options: Any
    ) -> None:
        """Knobs that follow from how all of them stand, also where one of them is empty."""
        page = self.page

        def update(values: Values) -> Update:
            return function(knobs_from(page, values))

        gathering(page, event)(update, with_knobs(page), outputs, queue=False, **options, **PRIVATE)

    def pair(self, values: Values) -> Update:
        """The before/after slider, the amplified difference, and the pair's figures."""
        load_engine()
        return compare.pair(self.page, values)

    def expected(self, values: Values) -> list[Any]:
        """What the run buttons, Purify, Edit and the rooms' runs will take, by the runs so far."""
        load_engine()
        from impress_ui.ui.progress import expected

        page = self.page
        values = knobs_from(page, values)
        record: Record = values[page.record]
        purifies = "protected" if "protected" in record.files else ("upload" if values[page.upload] else None)
        edited = [name for name in PICTURES if name in record.files]
        path = edit = None
        try:
            job: JobSettings | None = job_from_widgets(page, values)
        except Exception:  # the run itself says what is wrong with the settings
            job = None
        if job is not None and record.size is not None:
            size = record.own or record.size
            parts = [expected(kind, job, size) for kind in ("protect", "purify")]
            path = None if None in parts else sum(parts)
            edit = expected("edit", job, record.size, len(edited))
        told = [
            gr.update(value=views.costing(views.BOTH, path)), views.hint(purifies), edit_views.hint(edited, edit)
        ]  # fmt: skip
        return [*told, *(room.expects(page, values, job) for room in self.hinting)]

    def picked(self, values: Values) -> Update:
        """The pair and the reconstruction that are asked for."""
        return {**self.pair(values), **self.reconstruction(values)}

    def reconstruction(self, values: Values) -> Update:
        """The reconstruction that the picker asks for, if that picture has been made, and its caption."""
        record, name = values[self.page.record], values[self.page.reconstruction_of]
        row = next((row for row in record.rows if row["name"] == name), None)
        shown = record.files.get(f"V({name})"), views.caption("reconstructed", row)
        return dict(zip(self.reconstruction_outputs, shown, strict=True))


def _story(what: Any, page: Page, values: Values, session: str) -> Any:
    """Protect, purify, or one after the other."""
    from impress_ui.ui.rooms.story.run import PageRun

    return PageRun(page, values, session, what)


def _live(what: Any, page: Page, values: Values, session: str) -> Any:
    """The same, when a slider was let go."""
    from impress_ui.ui.rooms.story.live import LiveRun

    return LiveRun(page, values, session, what)


def _edits(page: Page, values: Values, session: str) -> Any:
    """Edit the original, the protected and the purified picture, as far as they are there."""
    from impress_ui.ui.rooms.edit.run import EditRun

    return EditRun(page, values, session, page.edit_status)
