"""One click's run on the page: protect, purify, measure, as a stream of updates to the page's widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import gradio as gr
from gradio.components import Component
from PIL import Image

from impress_ui.core import compare, workflow
from impress_ui.core.images import Picture, open_picture, save_png
from impress_ui.core.optimise import ShouldStop, Step
from impress_ui.ui import curves, runs, views
from impress_ui.ui.forms import job_from_widgets
from impress_ui.ui.layout import Page
from impress_ui.ui.mistakes import explain
from impress_ui.ui.record import PICTURES, Record, new_folder

What = Literal["protect", "purify", "both"]
Update = dict[Component, Any]
FILE_NAMES = {"V(original)": "reconstruction-of-original", "V(protected)": "reconstruction-of-protected",
              "V(purified)": "reconstruction-of-purified"}  # fmt: skip


class PageRun:
    """The run that one click asked for.

    Args:
        values: what every input widget held at the click.
        session: whose job it is, for Stop and for the files' folder.
        what: the part of the path to go.
    """

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str, what: What) -> None:
        self.page, self.values, self.session, self.what = page, values, session, what
        self.record: Record = values[page.record]
        self.images: dict[str, Image.Image] = {}
        self.told: list[str] = []
        self.stopped = False

    def updates(self) -> Iterator[Update]:
        """Every update of the page, the last of which gives the buttons back, also after a mistake."""
        try:
            self.job = job_from_widgets(self.page, self.values)
            yield self._busy()
            with runs.JOBS.open(self.session) as should_stop, runs.device_for(should_stop) as waiting:
                for seconds in waiting:
                    waited = views.duration(seconds)
                    yield {
                        self.page.status: views.status(
                            "Waiting", f"for the device, which another job has; {waited} so far"
                        )
                    }
                if should_stop():
                    yield self._ready(views.status("Stopped", "while it waited; nothing was changed", "stopped"))
                    return
                self.folder = new_folder(self.session)
                yield from self._work(should_stop)
        except Exception as error:
            sentence = explain(error)
            yield self._ready(views.status("Not done", sentence, "failed"))
            raise gr.Error(sentence, print_exception=False) from None

    def _work(self, should_stop: ShouldStop) -> Iterator[Update]:
        page, values = self.page, self.values
        mask = runs.mask_of(values[page.mask])
        if self.what != "purify":
            picture = runs.open_at(values[page.upload], self.job)
            aims = self.job.protect.target == "image" and values[page.target]
            target = open_picture(values[page.target]).image if aims else None
            steps = workflow.protect_picture(picture.image, self.job, mask=mask, target=target, should_stop=should_stop)
            yield from self._follow("protect", "protected", steps, lambda: self._start_over("original", picture))
            yield self._reconstruct()
        if self.what != "protect" and not self.stopped:
            begin = None
            if "protected" in self.record.files:
                protected = self._image("protected")
            else:
                picture = runs.open_at(values[page.upload], self.job)
                protected, begin = picture.image, lambda: self._start_over("protected", picture)
            steps = workflow.purify_picture(protected, self.job, mask=mask, should_stop=should_stop)
            yield from self._follow("purify", "purified", steps, begin)
        yield from self._measure(mask, should_stop)
        ending = f"{'; '.join(self.told)}{'; the partial result is kept' if self.stopped else ''}"
        state = ("Stopped", ending, "stopped") if self.stopped else ("Done", ending, "done", 1.0)
        yield self._ready(views.status(*state))

    def _follow(
        self, kind: runs.Kind, name: str, steps: Iterator[Step], begin: Callable[[], Update] | None
    ) -> Iterator[Update]:
        """Stream one optimisation into its pane and its curves, and keep its result.

        ``begin`` clears the page once the first step is there: a mistake before it leaves the page as it was.
        """
        page, before = self.page, self.record
        for progress in runs.follow(kind, steps):
            if begin is not None:
                yield begin()
                before, begin = self.record, None
            drawn = {name: values for name, values in progress.curves.items() if name in curves.SERIES[kind]}
            self.record = replace(
                before,
                curves={**before.curves, **drawn},
                steps={**before.steps, **dict.fromkeys(drawn, progress.steps)},
            )
            update: Update = {
                page.status: views.running(
                    progress.phase, progress.index, progress.steps, progress.rate, progress.seconds_left
                ),
                page.curves: curves.charts(self.record.curves, self.record.steps),
            }
            if progress.result is None:
                yield {**update, page.panes[name]: progress.preview()}
                continue
            self.stopped = progress.stopped
            facts = {"stopped": progress.stopped, "steps_done": progress.index, "seconds": round(progress.seconds, 2)}
            path = self._keep(name, progress.result, **facts)
            done = (
                f"at step {progress.index} of {progress.steps}" if progress.stopped else f"in {progress.seconds:.1f} s"
            )
            self.told.append(f"{name} {done}")
            yield {**update, page.panes[name]: path, page.record: self.record}

    def _reconstruct(self) -> Update:
        """What the model sees of the protected picture, before anything else is done with it."""
        path = self._keep("V(protected)", workflow.reconstruct(self._image("protected"), self.job))
        shown = {self.page.panes["reconstructed"]: path} if self._picked("protected") else {}
        return {**shown, self.page.record: self.record}

    def _picked(self, name: str) -> bool:
        return self.values[self.page.reconstruction_of] == name

    def _measure(self, mask: Image.Image | None, should_stop: ShouldStop) -> Iterator[Update]:
        """Fill the table, the captions and the reconstructions, a row at a time."""
        page = self.page
        yield {page.status: views.status("Measuring", "; ".join(self.told), "running", 1.0)}
        pictures = {name: self._image(name) for name in PICTURES if name in self.record.files}
        rows: list[dict[str, Any]] = []
        for row in compare.compare(
            pictures, self.job,
            original=pictures.get("original"),
            controls_on=pictures.get("protected") if "purified" in pictures else None,
            mask=mask, should_stop=should_stop,
        ):  # fmt: skip
            rows.append(row.as_dict())
            update: Update = {page.table: views.table(rows, compare.setting_of(self.job.purify))}
            if not row.control:
                path = self._keep(f"V({row.name})", row.reconstruction)
                update[page.captions[row.name]] = views.caption(row.name, rows[-1])
                if self._picked(row.name):
                    update[page.panes["reconstructed"]] = path
                    update[page.captions["reconstructed"]] = views.caption("reconstructed", rows[-1])
            yield update
        self.record = replace(self.record, rows=rows)

    def _start_over(self, name: str, picture: Picture) -> Update:
        """A new first picture in its pane; whatever was made from another one is gone."""
        page = self.page
        self.record = Record(size=picture.image.size)
        self.images = {}
        first = self._keep(name, picture.image)
        captions = {widget: views.caption(pane, None) for pane, widget in page.captions.items()}
        if name == "protected":
            captions[page.captions["original"]] = views.UNKNOWN_ORIGINAL
        return {
            **{widget: first if pane == name else None for pane, widget in page.panes.items()},
            **captions,
            page.notes: views.notes(picture.notes),
            page.table: views.table([]),
            page.record: self.record,
        }

    def _keep(self, name: str, image: Image.Image, **facts: Any) -> str:
        """Save a picture with what made it, and remember it."""
        kind = "reconstructed" if name in FILE_NAMES else name
        path = save_png(
            image, self.folder / f"{FILE_NAMES.get(name, name)}.png", workflow.describe_result(kind, self.job, **facts)
        )
        self.images[name] = image
        self.record = replace(self.record, files={**self.record.files, name: str(path)})
        return str(path)

    def _image(self, name: str) -> Image.Image:
        if name not in self.images:
            self.images[name] = open_picture(self.record.files[name]).image
        return self.images[name]

    def _busy(self) -> Update:
        page = self.page
        return {
            **dict.fromkeys((page.both, page.protect, page.purify), gr.update(interactive=False)),
            page.stop: gr.update(interactive=True, value="Stop"),
            page.status: views.status("Starting", "opening the picture and the model"),
        }

    def _ready(self, status: str) -> Update:
        page = self.page
        return {
            **dict.fromkeys((page.both, page.protect, page.purify), gr.update(interactive=True)),
            page.stop: gr.update(interactive=False, value="Stop"),
            page.status: status,
            page.record: self.record,
        }
