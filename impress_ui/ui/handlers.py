"""Which widget does what. Torch and the core are imported inside, so that the page is ready before they are."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr
from gradio.components import Component

from impress_ui.ui import views
from impress_ui.ui.forms import RECIPE_FIELDS, job_from_widgets, recipe_values
from impress_ui.ui.layout import Page
from impress_ui.ui.mistakes import explain
from impress_ui.ui.record import ALL_PICTURES, Record, forget, new_folder

# Waiting jobs are let in too, so that they can say on the page that they wait; the device itself takes one.
DEVICE = {"concurrency_id": "device", "concurrency_limit": 8}
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
Values = Mapping[Any, Any]  # what each input widget holds
Update = dict[Component, Any]
LAST_STEP = 60  # seconds that a closed tab's job may take to end


class Handlers:
    """The page's handlers; each takes what its input widgets hold and gives updates by widget."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def connect(self, demo: gr.Blocks) -> None:
        """Attach every handler of the page."""
        page = self.page
        run_inputs = {*page.knobs.values(), page.record, page.upload, page.mask, page.target, page.reconstruction_of}
        results = [page.record, page.notes, page.status, page.curves, page.table]
        results += [*page.panes.values(), *page.captions.values()]
        run_outputs = [*results, page.both, page.protect, page.purify, page.stop]
        pair_inputs = {page.record, page.left, page.right, page.gain, page.signed}
        pair_outputs = [page.slider, page.difference, page.figures]
        hint_inputs = {*page.knobs.values(), page.record, page.upload}

        changes = [
            page.upload.change(self.open, {page.upload, page.knobs["run", "size"]}, [*results, page.mask], **PRIVATE)
        ]
        for button, run in (
            (page.both, self.run_both),
            (page.protect, self.run_protect),
            (page.purify, self.run_purify),
        ):
            changes.append(button.click(run, run_inputs, run_outputs, trigger_mode="once", **DEVICE, **PRIVATE))
        for change in changes:
            change.then(self.pair, pair_inputs, pair_outputs, **PRIVATE)
            change.then(self.hint, hint_inputs, [page.hint], **PRIVATE)
        page.stop.click(self.stop_job, None, [page.stop], queue=False, **PRIVATE)
        demo.unload(self.leave)

        recipe, purify = page.knobs["purify", "recipe"], page.section("purify")
        filled = [purify[name] for name in RECIPE_FIELDS]
        recipe.input(self.recipe, [recipe], filled, queue=False, **PRIVATE)
        for knob in (("protect", "steps"), ("purify", "steps"), ("purify", "method"), ("run", "size")):
            page.knobs[knob].change(self.hint, hint_inputs, [page.hint], trigger_mode="always_last", **PRIVATE)
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

    def _run(self, values: Values, request: gr.Request, what: str) -> Iterator[Update]:
        from impress_ui.ui.page_run import PageRun

        yield from PageRun(self.page, values, request.session_hash, what).updates()

    def stop_job(self, request: gr.Request) -> Any:
        """Ask the session's job to end after its current step; it gives the buttons back itself."""
        from impress_ui.ui.runs import JOBS

        stopping = JOBS.stop(request.session_hash)
        return gr.update(value="Stopping…" if stopping else "Stop", interactive=False)

    def leave(self, request: gr.Request) -> None:
        """The tab was closed: nobody waits for its job, nobody can fetch its files."""
        from impress_ui.ui.runs import JOBS

        deadline = time.monotonic() + LAST_STEP
        while JOBS.stop(request.session_hash) and time.monotonic() < deadline:
            time.sleep(0.2)  # the step under way still saves its picture
        forget(request.session_hash)

    def open(self, values: Values, request: gr.Request) -> Iterator[Update]:
        """A new picture: show it at its working size, say what was done to it, clear what another one left."""
        from impress_ui.core.images import fit, open_picture, save_png
        from impress_ui.ui.curves import charts
        from impress_ui.ui.runs import made_here

        page, path = self.page, values[self.page.upload]
        if not path:  # the upload was cleared; what was made from it may still be looked at
            yield {page.notes: ""}
            return
        try:
            picture = fit(open_picture(path), values[page.knobs["run", "size"]])
        except Exception as error:
            sentence = explain(error)
            yield {page.notes: views.notes([sentence])}
            raise gr.Error(sentence, print_exception=False) from None
        original = str(save_png(picture.image, new_folder(request.session_hash) / "original.png"))
        notes = picture.notes
        if made_here(path) == "protected":
            notes = (*notes, "This file says that it was protected with this program: Purify takes it as it is.")
        yield {
            **{pane: original if name == "original" else None for name, pane in page.panes.items()},
            **{caption: views.caption(name, None) for name, caption in page.captions.items()},
            page.record: Record(files={"original": original}, size=picture.image.size),
            page.notes: views.notes(notes),
            page.status: views.idle(),
            page.curves: charts({}, {}),
            page.table: views.table([]),
            page.mask: {"background": original, "layers": [], "composite": original},
        }

    def recipe(self, recipe: str) -> list[Any]:
        """A recipe's values, in the order of its knobs."""
        return list(recipe_values(recipe).values())

    def pair(self, values: Values) -> Update:
        """The before/after slider, the amplified difference, and the pair's figures."""
        from impress_ui.core.difference import difference
        from impress_ui.core.images import open_picture
        from impress_ui.core.metrics import measure

        page = self.page
        record, left, right = values[page.record], values[page.left], values[page.right]
        if left not in record.files or right not in record.files:
            return {page.slider: None, page.difference: None, page.figures: views.figures(None)}
        try:
            a, b = (open_picture(record.files[name]).image for name in (left, right))
            figures = measure(b, a).as_dict()
            amplified = difference(a, b, values[page.gain], signed=values[page.signed])
        except Exception as error:
            raise gr.Error(explain(error), print_exception=False) from None
        return {
            page.slider: (record.files[left], record.files[right]),
            page.difference: amplified,
            page.figures: views.figures(figures, ALL_PICTURES[left], ALL_PICTURES[right]),
        }

    def hint(self, values: Values) -> str:
        """What Purify will take, and the whole path's estimate from the pace of the runs so far."""
        from impress_ui.ui.runs import estimate

        page = self.page
        record: Record = values[page.record]
        purifies = "protected" if "protected" in record.files else ("upload" if values[page.upload] else None)
        try:
            job = job_from_widgets(page, values)
        except Exception:  # the run itself says what is wrong with the settings
            return views.hint(purifies, None)
        if record.size is None:
            return views.hint(purifies, None)
        parts = [estimate("protect", job.protect.steps, record.size)]
        if job.purify.method == "impress":
            parts.append(estimate("purify", job.purify.steps, record.size))
        return views.hint(purifies, None if None in parts else sum(parts))

    def reconstruction(self, record: Record, name: str) -> tuple[str | None, str]:
        """The reconstruction that the picker asks for, if that picture has been made, and its caption."""
        row = next((row for row in record.rows if row["name"] == name), None)
        return record.files.get(f"V({name})"), views.caption("reconstructed", row)
