"""Making pictures from text on the page, as a stream of updates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from impress_ui.jobs import workflow
from impress_ui.jobs.saving import check_seeds, save_generated
from impress_ui.methods.optimise import ShouldStop
from impress_ui.ui import views
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import follow_samples, generation
from impress_ui.ui.rooms.edit.run import pictures_in_words


class GenerateRun(PageJob):
    """Pictures from text, each with a seed of its own."""

    title, parts, room, archive = "Generate", ("generate",), "generate", "impress-generated.zip"

    def files(self) -> dict[str, Path]:
        return {path.name: path for path in sorted(self.folder.glob("generated-*.png"))}

    def curves(self) -> tuple[dict, dict]:
        return {}, {}

    def measures(self) -> None:
        return None

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        check_seeds(self.job)
        steps = workflow.generate_pictures(self.job, should_stop=should_stop)
        for progress in follow_samples(generation(self.job), steps):
            update = self.progress(progress.timing)
            if progress.previews is not None:
                update[self.here.gallery] = [self.preview(image) for image in progress.previews]
            if progress.results is None:
                yield update
                continue
            facts = self.facts(progress)
            paths = save_generated(
                progress.results, lambda seed: self.folder / f"generated-{seed}.png", self.job, **facts
            )
            shown = [(str(path), f"seed {seed}") for seed, path in paths.items()]
            yield {**update, self.here.gallery: shown}
            told = f"{pictures_in_words(len(shown))} made {views.ending(progress.timing, progress.stopped)}"
            yield self.ready(told, progress.stopped)
