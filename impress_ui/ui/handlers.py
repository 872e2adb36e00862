"""Which widget does what. Torch and the core are imported inside, so that the page is ready before they are."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from impress_ui.settings import Settings
from impress_ui.ui import views
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.mistakes import explain, toast
from impress_ui.ui.page import SECTIONS, Page
from impress_ui.ui.queue import MOST_WAITING
from impress_ui.ui.record import ALL_PICTURES, PICTURES, Record, forget
from impress_ui.ui.rooms.edit import views as edit_views
from impress_ui.ui.rooms.history.runs import HISTORIES
from impress_ui.ui.rooms.stress import views as stress_views
from impress_ui.ui.sessions import drop_state, session_of

# Waiting jobs are let in too, and some that find the line full: what they are told comes from the line, and is clear.
DEVICE = {"concurrency_id": "device", "concurrency_limit": MOST_WAITING + 8}
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
Values = Mapping[Any, Any]  # what each input widget holds
Update = dict[Component, Any]
# What the estimates depend on.
HINTED = (
    ("run", "size"), ("protect", "method"), ("protect", "steps"), ("protect", "attacked_steps"),
    ("protect", "repetitions"), ("protect", "adaptive"), ("purify", "steps"), ("purify", "method"), ("purify", "chain"),
    ("stress", "purifiers"), ("stress", "edits"), ("stress", "twins"), ("edit", "strength"),
    ("edit", "guidance"), ("edit", "sampling_steps"), ("generate", "count"), ("generate", "guidance"),
    ("generate", "sampling_steps"), ("generate", "width"), ("generate", "height"),
)  # fmt: skip
# Enter in a prompt presses the section's button, which is disabled while a job runs.
PRESS = "() => {{ const button = document.getElementById('{0}'); if (button && !button.disabled) button.click(); }}"
LAST_STEP = 60  # seconds that a closed tab's job may take to end


class Handlers:
    """The page's handlers; each takes what its input widgets hold and gives updates by widget."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def connect(self, demo: gr.Blocks) -> None:
        """Attach every handler of the page."""
        page = self.page
        settings = {*page.knobs.values(), page.new_seed, page.record, page.upload, page.stress_protected}
        run_inputs = {*settings, page.mask, page.target, page.reconstruction_of}
        edit_texts = [*page.edit_captions.values(), page.verdict]
        pictures = [page.record, page.notes, page.curves, page.table, *page.panes.values(), *page.captions.values()]
        buttons = [*page.run_buttons, *page.stop_buttons, *page.after_run]
        run_outputs = [page.status, *pictures, *edit_texts, *buttons]
        edit_outputs = [page.edit_status, *pictures, *page.edits.values(), *edit_texts, *buttons]
        new_outputs = [*run_outputs, *page.edits.values(), page.edit_status, page.mask, page.edit_mask]
        pair_inputs = {page.record, page.left, page.right, page.gain, page.signed}
        pair_outputs = [page.slider, page.difference, page.figures]
        hints = [page.hint, page.edit_hint, page.generate_hint, page.stress_hint, page.explore_hint]

        restored = [*page.knobs.values(), *(area for area, _ in page.areas.values())]
        opened = {page.upload, page.knobs["run", "size"]}
        new_outputs = list(dict.fromkeys([*new_outputs, *restored]))
        changes = [page.upload.change(self.open, opened, new_outputs, **PRIVATE)]
        for button, run, inputs, outputs in (
            (page.both, self.run_both, run_inputs, run_outputs),
            (page.protect, self.run_protect, run_inputs, run_outputs),
            (page.purify, self.run_purify, run_inputs, run_outputs),
            (page.universal_add, self.run_add, {*run_inputs, page.universal}, run_outputs),
            (page.edit, self.run_edit, {*settings, page.edit_mask}, edit_outputs),
        ):
            changes.append(button.click(run, inputs, outputs, trigger_mode="once", **DEVICE, **PRIVATE))
        for change in changes:
            change.then(self.pair, pair_inputs, pair_outputs, **PRIVATE)
            change.then(self.hint, settings, hints, **PRIVATE)
        page.universal_learn.click(
            self.run_learn, {*settings, page.target, page.universal_works},
            [page.status, page.universal, page.record, *edit_texts, *buttons], trigger_mode="once", **DEVICE, **PRIVATE,
        )  # fmt: skip
        generate_outputs = [page.generate_status, page.gallery, page.record, *edit_texts, *buttons]
        made = page.generate.click(
            self.run_generate, settings, generate_outputs, trigger_mode="once", **DEVICE, **PRIVATE
        )
        made.then(self.hint, settings, hints, **PRIVATE)
        style_inputs = {*settings, page.style_artist, page.style_files, page.style_name, page.style_protection}
        style_outputs = [
            page.style_status, *page.style_sets.values(), *page.style_imitations.values(), page.style_losses,
            page.style_bars, page.style_verdict, page.style_zip, page.record, *edit_texts, *buttons,
        ]  # fmt: skip
        page.style_run.click(self.run_style, style_inputs, style_outputs, trigger_mode="once", **DEVICE, **PRIVATE)
        stress_outputs = [
            page.stress_status, page.stress_verdict, page.stress_scatter, page.stress_table, page.stress_pictures,
            page.stress_zip, page.record, *edit_texts, *buttons,
        ]  # fmt: skip
        stressed = page.stress.click(
            self.run_stress, {*settings, page.stress_original}, stress_outputs,
            trigger_mode="once", **DEVICE, **PRIVATE,
        )  # fmt: skip
        stressed.then(self.hint, settings, hints, **PRIVATE)
        page.stress_protected.change(self.hint, settings, hints, **PRIVATE)
        for stop in page.stop_buttons:
            stop.click(self.stop_job, None, [*page.stop_buttons], queue=False, **PRIVATE)
        for section, button in (("edit", "edit-run"), ("generate", "generate-run")):
            page.knobs[section, "prompt"].submit(None, js=PRESS.format(button), **PRIVATE)
        self.demo = demo
        demo.unload(self.leave)

        for section, model in SECTIONS.items():
            for choosing in {model.chooser, model.picker} - {""}:
                choice = page.knobs[section, choosing]
                changed = [page.knobs[section, name] for name in self.changed_by(model, choosing)]
                area, field = page.areas.get(section, (None, "")) if choosing == model.picker else (None, "")
                outputs = changed if area is None else [*changed, area]
                choice.input(
                    functools.partial(self.choose, model, choosing, field), [choice], outputs,
                    queue=False, **PRIVATE,
                )  # fmt: skip
        for knob in HINTED:
            page.knobs[knob].change(self.hint, settings, hints, trigger_mode="always_last", **PRIVATE)
        page.knobs["edit", "mode"].change(self.mode, [page.knobs["edit", "mode"]], [page.edit_painting], **PRIVATE)
        for widget in (page.left, page.right, page.gain, page.signed):
            widget.change(self.pair, pair_inputs, pair_outputs, trigger_mode="always_last", **PRIVATE)
        page.reconstruction_of.change(
            self.reconstruction, [page.record, page.reconstruction_of],
            [page.panes["reconstructed"], page.captions["reconstructed"]], **PRIVATE,
        )  # fmt: skip

    def run_both(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Protect, then purify."""
        yield from self._run(values, request, "both")

    def run_protect(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Protect the uploaded picture."""
        yield from self._run(values, request, "protect")

    def run_purify(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Purify the protected picture on the page, or else the uploaded one."""
        yield from self._run(values, request, "purify")

    def run_edit(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Edit the original, the protected and the purified picture, as far as they are there."""
        from impress_ui.ui.rooms.edit.run import EditRun

        yield from EditRun(self.page, values, session_of(request), self.page.edit_status).updates()

    def run_generate(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Pictures from text alone."""
        from impress_ui.ui.rooms.edit.run import GenerateRun

        yield from GenerateRun(self.page, values, session_of(request), self.page.generate_status).updates()

    def run_style(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Study a style: protect, purify, fine-tune, imitate, judge."""
        from impress_ui.ui.rooms.style.run import StyleRun

        yield from StyleRun(self.page, values, session_of(request), self.page.style_status).updates()

    def run_stress(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Run the protected picture through the purifiers."""
        from impress_ui.ui.rooms.stress.run import StressRun

        yield from StressRun(self.page, values, session_of(request), self.page.stress_status).updates()

    def run_learn(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Learn a universal perturbation."""
        from impress_ui.ui.rooms.universal.run import LearnRun

        yield from LearnRun(self.page, values, request.session_hash, self.page.status).updates()

    def run_add(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """Protect the picture with a universal perturbation."""
        from impress_ui.ui.rooms.universal.run import AddRun

        yield from AddRun(self.page, values, request.session_hash).updates()

    def _run(self, values: Values, request: gr.Request, what: str) -> Iterator[Update]:
        from impress_ui.ui.rooms.story.run import PageRun

        yield from PageRun(self.page, values, session_of(request), what).updates()

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
        from impress_ui.ui.rooms.style.run import forget_study

        forget_study(session)
        drop_state(self.demo, session)

    def open(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """A new picture."""
        from impress_ui.ui.opening import opened

        yield from opened(self.page, values, session_of(request))

    def changed_by(self, model: type[Settings], choosing: str) -> tuple[str, ...]:
        """The fields whose values or visibility a recipe, a preset or a method decides."""
        valued = model.chosen_fields() if choosing == model.chooser else ()
        owned = [name for fields in model.fields_of.values() for name in fields] if choosing == model.picker else ()
        return tuple(dict.fromkeys([*valued, *owned]))

    def choose(self, model: type[Settings], choosing: str, area_of: str, choice: str) -> Any:
        """What a recipe, a preset or a method changes, in the order of ``changed_by``: values, and which knobs show.

        Last comes the area that shows with the field ``area_of``, where there is one.
        """
        values = model.chosen_values(choice) if choosing == model.chooser else {}
        updates = []
        for name in self.changed_by(model, choosing):
            update = {"value": values[name]} if name in values else {}
            if choosing == model.picker:
                update["visible"] = model.has(name, choice)
            updates.append(gr.update(**update))
        if area_of:
            updates.append(gr.update(visible=model.has(area_of, choice)))
        return updates if len(updates) > 1 else updates[0]

    def pair(self, values: Values) -> Update:
        """The before/after slider, the amplified difference, and the pair's figures."""
        from impress_ui.measures.metrics import measure
        from impress_ui.pictures.difference import difference
        from impress_ui.pictures.images import open_picture

        page = self.page
        left, right = values[page.left], values[page.right]
        paths = [values[page.record].path(name) for name in (left, right)]
        if None in paths:
            return {page.slider: None, page.difference: None, page.figures: views.figures(None)}
        try:
            a, b = (open_picture(path).image for path in paths)
            figures = measure(b, a).as_dict()
            amplified = difference(a, b, values[page.gain], signed=values[page.signed])
        except Exception as error:
            raise toast(explain(error)) from None
        return {
            page.slider: tuple(paths),
            page.difference: amplified,
            page.figures: views.figures(figures, ALL_PICTURES[left], ALL_PICTURES[right]),
        }

    def hint(self, values: Values) -> list[str]:
        """What Purify, Edit and the stress test will take, and how long they and Generate will, by the runs so far."""
        from impress_ui.measures.costs import expected_seconds
        from impress_ui.methods.purify import planned_steps
        from impress_ui.ui.progress import estimate, generation, work_of
        from impress_ui.ui.rooms.explore.handlers import hint as explore_hint

        page = self.page
        record: Record = values[page.record]
        purifies = "protected" if "protected" in record.files else ("upload" if values[page.upload] else None)
        tested = ("page" if "original" in record.files else "alone") if purifies == "protected" else purifies
        if values[page.stress_protected]:
            tested = "elsewhere"
        edited = [name for name in PICTURES if name in record.files]
        path = edit = stress = None
        explored = explore_hint(page, values)
        try:
            job = job_from_widgets(page, values)
        except Exception:  # the run itself says what is wrong with the settings
            told = [views.hint(purifies, None), edit_views.hint(edited, None), "", stress_views.hint(tested, None)]
            return [*told, explored]
        generate = estimate(generation(job), job.generate.sampling_steps)
        if record.size is not None:
            parts = [estimate(work_of("protect", job, record.size), job.protect.steps)]
            if planned_steps(job.purify):
                parts.append(estimate(work_of("purify", job, record.size), planned_steps(job.purify)))
            path = None if None in parts else sum(parts)
            steps = int(job.edit.sampling_steps * job.edit.strength)
            edit = estimate(work_of("edit", job, record.size, len(edited)), steps)
            purifiers = list(job.stress.settings_of(job.purify).values()) * (2 if job.stress.twins else 1)
            costs = [expected_seconds(settings, record.size) for settings in purifiers]
            if job.stress.edits:
                costs.append(estimate(work_of("edit", job, record.size, len(job.stress.purifiers) + 2), steps))
            stress = None if None in costs else sum(costs)
        return [
            views.hint(purifies, path), edit_views.hint(edited, edit), edit_views.generate_hint(generate),
            stress_views.hint(tested, stress), explored,
        ]  # fmt: skip

    def reconstruction(self, record: Record, name: str) -> tuple[str | None, str]:
        """The reconstruction that the picker asks for, if that picture has been made, and its caption."""
        row = next((row for row in record.rows if row["name"] == name), None)
        return record.files.get(f"V({name})"), views.caption("reconstructed", row)
