"""One click's run on the page: protect, purify, measure, as a stream of updates to the page's widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import gradio as gr
from PIL import Image

from impress_ui.jobs import compare, workflow
from impress_ui.jobs.check import checked
from impress_ui.jobs.saving import as_saved, save_result
from impress_ui.methods.optimise import ShouldStop, Step
from impress_ui.pictures.images import Picture, fit, open_picture
from impress_ui.settings import PurifySettings
from impress_ui.ui import curves, runs, views
from impress_ui.ui.page import Page
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import Work, follow, work_of
from impress_ui.ui.record import PICTURES, Ghost
from impress_ui.ui.rooms.history.runs import HISTORIES

What = Literal["protect", "purify", "both"]
GHOSTS = 5  # earlier curves that stay in sight


class PageRun(PageJob):
    """Protect, purify, or one after the other; ``what`` is the part of the path to go."""

    archive = "impress-run.zip"

    def __init__(self, page: Page, values: Mapping[Any, Any], session: str, what: What) -> None:
        super().__init__(page, values, session, page.status)
        self.what = what
        self.title = {"both": "Protect and purify", "protect": "Protect", "purify": "Purify"}[what]
        self.parts = ("protect", "purify") if what == "both" else (what,)
        self.made: dict[str, dict[str, Any]] = {}  # what is known of each picture of this run
        self.told: list[str] = []
        self.stopped = False

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        page, values = self.page, self.values
        self.former = next((row for row in self.record.rows if row["name"] == "purified"), None)
        mask = runs.mask_of(values[page.mask])
        if self.what != "purify":
            picture, target = self.aimed(runs.open_at(values[page.upload], self.job, whole=True))
            if self.what == "both":
                workflow.check_purifier(self.job)
            steps = self.protection(picture.image, mask, target, should_stop)
            work = work_of("protect", self.job, picture.image.size)
            begin: Callable[[], Update] = lambda: self.start_over("original", self._reduced(picture))  # noqa: E731
            yield from self._follow(work, "protected", steps, begin, picture)
            yield self._reconstruct()
        if self.what != "protect" and not self.stopped:
            begin = self._leave_a_ghost
            if "protected" in self.record.files:
                own = self.job.run.whole != "no" and self.record.whole.get("protected")
                picture = open_picture(own) if own else Picture(self.image("protected"))
                if self.job.run.whole != "no" and not own and self.record.own not in (None, self.record.size):
                    self.told.append("the protected picture is here at its working size alone, and so is the result")
            else:
                picture = runs.open_at(values[page.upload], self.job, whole=True)
                begin = lambda: self.start_over("protected", self._reduced(picture))  # noqa: E731
            # What stands here at its working size is done at that, whatever that size is now.
            whole = self.job.run.whole if picture.opened else "no"
            job = self.job.updated(run={"whole": whole})
            steps = workflow.purify_picture(picture.image, job, mask=mask, should_stop=should_stop)
            work = work_of("purify", job, picture.image.size)
            yield from self._follow(work, "purified", steps, begin, picture)
        if self.own and self.own.superseded:
            return
        yield from self._measure(mask, should_stop)
        yield self.ready("; ".join(self.told), self.stopped)

    def _reduced(self, picture: Picture) -> Picture:
        """The picture as the page shows it, with a note where its results have another size."""
        shown = fit(picture, self.job.run.size)
        if shown is picture or self.job.run.whole == "no":
            return shown
        size, seen = "x".join(map(str, picture.image.size)), "x".join(map(str, shown.image.size))
        note = f"Results have {size} pixels; pictures and measures here show them as the model sees them, at {seen}."
        return picture.noted(note).showing(shown.image)

    def _leave_a_ghost(self) -> Update:
        """Keep the losses of the purification that this one replaces, to be drawn faintly behind it."""
        drawn = {name: list(values) for name, values in self.record.curves.items() if name in curves.SERIES["purify"]}
        if drawn:
            past = HISTORIES.find(self.session, self.record.run)
            words = f"run {self.record.run}" if self.record.run else "the example"
            ghost = Ghost(self.record.run, f"{words}: {knobs_of(past.job.purify)}" if past else words, drawn)
            kept = {name: values for name, values in self.record.curves.items() if name not in drawn}
            self.record = replace(self.record, ghosts=(*self.record.ghosts, ghost)[-GHOSTS:], curves=kept)
        return {self.status: gr.update()}  # nothing of it stands until its end

    def protection(
        self, image: Image.Image, mask: Image.Image | None, target: Image.Image | None, should_stop: ShouldStop
    ) -> Iterator[Step]:
        """The steps that protect the picture."""
        return workflow.protect_picture(image, self.job, mask=mask, target=target, should_stop=should_stop)

    def _follow(
        self, work: Work, name: str, steps: Iterator[Step], begin: Callable[[], Update] | None, picture: Picture
    ) -> Iterator[Update]:
        """Stream one optimisation of a picture into its pane and its curves, and keep its result.

        ``begin`` clears the page once the first step is there: a mistake before it leaves the page as it was.
        """
        page, before = self.page, self.record
        seen: list[tuple[str, int, str]] = []
        for progress in follow(work, steps):
            if begin is not None:
                yield begin()
                before, begin = self.record, None
            timing = progress.timing
            drawn = {name: values for name, values in progress.curves.items() if name in curves.SERIES[work.kind]}
            points = progress.step.points
            at = round(timing.index * points / timing.steps) if points else timing.index  # where the curves have it
            others = tuple(kind for kind in before.tiled if kind != work.kind)
            self.record = replace(
                before,
                curves={**before.curves, **drawn},
                steps={**before.steps, **dict.fromkeys(drawn, points or timing.steps)},
                tiled=(*others, *((work.kind,) if points else ())),
            )
            update: Update = {
                **self.progress(timing),
                page.curves: curves.charts_of(self.record, running=True),
            }
            if progress.result is None:
                preview = self.preview(progress.preview())
                seen.append((work.kind, at, preview))
                yield {**update, page.panes[name]: preview}
                continue
            former = [kept for kept in before.scrub if kept[0] != work.kind]
            kept = [one for one in (*former, *seen) if one[0] != work.kind or self.is_kept(one[2])]
            self.record = replace(self.record, scrub=tuple(kept))
            update[page.curves] = curves.charts_of(self.record)
            self.stopped = progress.stopped
            self.made[name] = self.facts(progress)
            self._keep_whole(name, progress.result, picture)
            path = self.keep(name, self._as_shown(progress.result, picture), **self.made[name])
            rows = [row for row in self.record.rows if row["name"] != name]  # of the picture that it replaces
            self.record = replace(self.record, rows=rows)
            ended = f"{name} {views.ending(timing, progress.stopped)}"
            self.told.append(": ".join(filter(None, (ended, progress.step.fault, progress.step.note))))
            yield {
                **update,
                page.panes[name]: path,
                page.record: self.record,
                page.whole: self.record.made_whole,
            }

    def _as_shown(self, image: Image.Image, picture: Picture) -> Image.Image:
        """A result as the page shows it: of the size of what else stands there."""
        image = as_saved(image, picture, self.job)
        size = self.record.size or image.size
        return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)

    def _keep_whole(self, name: str, image: Image.Image, picture: Picture) -> None:
        """Save a result beside the picture that it was made of, where they are larger than what the page shows."""
        if image.size == self.record.size:
            others = {key: path for key, path in self.record.whole.items() if key != name}
            self.record = replace(self.record, whole=others)
            return
        described = workflow.describe_result(name, self.job, **self.made[name])
        path = save_result(image, self.folder / f"{name}-whole.png", described, picture, self.job)
        began = {"protected": "original", "purified": "protected"}[name]
        # Without them it is the upload that this run began with.
        known = self.record.whole or {began: self.values[self.page.upload]}
        self.record = replace(self.record, whole={**known, name: str(path)})

    def _reconstruct(self) -> Update:
        """What the model sees of the protected picture, before anything else is done with it."""
        path = self.keep("V(protected)", workflow.reconstruct(self.image("protected"), self.job))
        shown = {self.page.panes["reconstructed"]: path} if self._picked("protected") else {}
        return {**shown, self.page.record: self.record}

    def _picked(self, name: str) -> bool:
        return self.values[self.page.reconstruction_of] == name

    def known(self) -> list[dict[str, Any]]:
        """The rows that need not be measured again."""
        return []

    def _measure(self, mask: Image.Image | None, should_stop: ShouldStop) -> Iterator[Update]:
        """Fill the table, the captions and the reconstructions, a row at a time."""
        page = self.page
        yield {page.status: views.status("Measuring", "; ".join(self.told), "running", 1.0)}
        pictures = {name: self.image(name) for name in PICTURES if name in self.record.files}
        known = self.known()
        rows: list[dict[str, Any]] = [row for row in known if not row["control"]]
        controls = [row for row in known if row["control"]]
        # A file that the page has shown stays as it is; with its measures it is another one.
        self.folder /= "measured"
        self.folder.mkdir()
        for row in compare.compare(
            {name: image for name, image in pictures.items() if name not in {row["name"] for row in rows}}, self.job,
            original=pictures.get("original"),
            controls_on=pictures.get("protected") if "purified" in pictures and not controls else None,
            mask=mask, should_stop=should_stop,
        ):  # fmt: skip
            rows.append(row.as_dict())
            if row.name == "purified":
                rows[-1]["setting"] = compare.setting_of(self.job.purify)
            update: Update = {page.table: views.table(rows)}
            if not row.control:
                path = self.keep(f"V({row.name})", row.reconstruction, measures=row.measures)
                if row.name in self.made:
                    update[page.panes[row.name]] = self.keep(
                        row.name, pictures[row.name], **self.made[row.name], measures=row.measures
                    )
                update[page.captions[row.name]] = views.caption(row.name, rows[-1], self.former)
                if self._picked(row.name):
                    update[page.panes["reconstructed"]] = path
                    update[page.captions["reconstructed"]] = views.caption("reconstructed", rows[-1])
            yield update
        rows += controls
        self.record = replace(self.record, rows=rows)
        purifier = views.PURIFIER_NAMES[self.job.purify.method]
        table = {page.table: views.table(rows)}
        yield {**table, page.answer: views.answer(rows, purifier)}
        if "purified" not in pictures and {"original", "protected"} <= pictures.keys():
            found = checked(
                "protected", pictures["protected"], pictures["original"], self.job,
                stopped=self.stopped, should_stop=should_stop,
            )  # fmt: skip
            if found:
                yield {page.answer: views.answer(rows, purifier, found["check"]["sentence"])}


def knobs_of(purify: PurifySettings) -> str:
    """What a curve was made with, in words: the sliders of IMPRESS, or another purifier's setting."""
    if purify.method != "impress":
        return compare.setting_of(purify) or purify.method
    return (
        f"α {purify.alpha:g}, Δ_L {purify.delta:g}, {purify.steps} steps, η {purify.learning_rate:g}, {purify.recipe}"
    )
