"""Editing every picture of the page at once, as a stream of updates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.jobs.saving import pasted, save_edits
from impress_ui.methods.optimise import ShouldStop
from impress_ui.ui import runs, views
from impress_ui.ui.captions import edit_captions_of
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import follow_samples, work_of
from impress_ui.ui.record import PICTURES, Edit


class EditRun(PageJob):
    """Edits the original, the protected and the purified picture, as far as they are there, with the same noise."""

    title, parts, archive = "Edit", ("edit",), "impress-edits.zip"

    def measures(self) -> dict[str, Any]:
        return {f"edit of the {name}": edit.measures for name, edit in self.record.edits.items() if edit.measures}

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        names = [name for name in PICTURES if name in self.record.files]
        uploaded = self.values[self.page.upload]
        if uploaded and names in ([], ["original"]):
            # Nothing was run on it yet: it may still be on its way to the panes, or the working size have been changed.
            picture = runs.open_at(uploaded, self.job)
            if not names or picture.image.size != self.record.size:
                yield self.start_over("original", picture)
                names = ["original"]
        if not names:
            raise UserError(runs.NO_PICTURE)
        images = [self.image(name) for name in names]
        mask = runs.mask_of(self.values[self.page.edit_mask]) if self.job.edit.mode == "inpaint" else None
        steps = workflow.edit_pictures(images, self.job, mask=mask, should_stop=should_stop)
        for number, progress in enumerate(follow_samples(work_of("edit", self.job, images[0].size, len(names)), steps)):
            update = self.progress(progress.timing)
            if number == 0:  # nothing of the old edits is left beside the new ones
                self.record = replace(self.record, edits={})
                update |= {**dict.fromkeys(self.page.edits.values()), **edit_captions_of(self.page, self.record)}
            if progress.previews is not None:
                shown = map(self.preview, progress.previews)
                update |= {self.page.edits[name]: path for name, path in zip(names, shown, strict=True)}
            if progress.results is None:
                yield update
                continue
            yield update | {self.status: views.status("Measuring", "the edits", "running", 1.0)}
            edits = dict(zip(names, progress.results, strict=True))
            paths = {name: self.folder / f"edit-of-{name}.png" for name in names}
            reference = "original" if "original" in names else None
            measures = save_edits(edits, paths, self.job, reference=reference, **self.facts(progress))
            made = {name: Edit(str(paths[name]), self.record.files[name], measures[name]) for name in names}
            self.record = replace(
                self.record, edits=made, edits_stopped=progress.stopped, edits_pasted=pasted(self.job)
            )
            yield {self.page.edits[name]: edit.file for name, edit in made.items()}
            told = f"{pictures_in_words(len(names))} edited {views.ending(progress.timing, progress.stopped)}"
            yield self.ready(told, progress.stopped)


def pictures_in_words(count: int) -> str:
    """How many pictures, in words."""
    return "1 picture" if count == 1 else f"{count} pictures"
