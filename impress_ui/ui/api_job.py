"""One call's job: its settings, its pictures, its files, and what it streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impress_ui.settings import JobSettings

if TYPE_CHECKING:
    from PIL import Image

    from impress_ui.jobs.explore import Exploration
    from impress_ui.jobs.stress import StressTest
    from impress_ui.jobs.style import StudyStep, StyleStudy
    from impress_ui.methods.edit import SampleStep
    from impress_ui.methods.optimise import Step
    from impress_ui.pictures.images import Picture
    from impress_ui.ui.progress import Kind, Timing, Work

Report = dict[str, Any]
Streamed = Iterator[tuple[str | None, Report]]
StreamedFiles = Iterator[tuple[list[str] | None, Report]]


@dataclass(frozen=True)
class ApiJob:
    """What a body needs of its job."""

    settings: JobSettings
    should_stop: Callable[[], bool]
    folder: Path

    def open(self, path: str | None, *, whole: bool = False) -> Picture:
        """The picture at its working size; at its own where the work can be done ``whole`` and is wanted so."""
        from impress_ui.ui.runs import open_at

        return open_at(path, self.settings, whole=whole)

    def masked(self, picture: Picture, path: str | None) -> tuple[Picture, Image.Image | None]:
        """The picture with the mask's note, and the mask."""
        from impress_ui.pictures.masks import with_mask

        return with_mask(picture, path)

    def aimed(self, picture: Picture, path: str | None) -> tuple[Picture, Image.Image | None]:
        """The picture with the target's notes, and the target."""
        from impress_ui.pictures.images import with_target

        return with_target(picture, path)

    def save(self, kind: str, image: Image.Image, **facts: Any) -> str:
        from impress_ui.jobs.workflow import describe_result
        from impress_ui.pictures.images import save_png

        return str(save_png(image, self.folder / f"{kind}.png", describe_result(kind, self.settings, **facts)))

    def report(self, picture: Picture, **facts: Any) -> Report:
        return {"settings": self.settings.model_dump(mode="json"), "notes": list(picture.notes), **facts}

    def stream(self, kind: Kind, made: str, picture: Picture, steps: Iterator[Step]) -> Streamed:
        """Progress without pictures, then the result with its measures."""
        from impress_ui.jobs.check import checked
        from impress_ui.jobs.saving import as_saved, save_result
        from impress_ui.jobs.workflow import describe_result, measures_of
        from impress_ui.ui.progress import follow, work_of

        for progress in follow(work_of(kind, self.settings, picture.image.size), steps):
            if progress.result is None:
                losses = {name: values[-1] for name, values in progress.curves.items()}
                yield None, {**_told(progress.timing), "losses": losses}
                continue
            facts = {**_facts(progress.timing, progress.stopped), "fault": progress.step.fault}
            seen = as_saved(progress.result, picture, self.settings)
            measures = measures_of(seen, self.settings, picture.image)
            described = describe_result(made, self.settings, measures=measures, **facts)
            path = save_result(progress.result, self.folder / f"{made}.png", described, picture, self.settings)
            facts |= checked(
                made, seen, picture.image, self.settings, stopped=progress.stopped, should_stop=self.should_stop
            )
            picture = picture.noted(*filter(None, [progress.step.note]))
            yield str(path), self.report(picture, measures=measures, losses=dict(progress.curves), **facts)

    def stream_universal(self, images: list[Image.Image], steps: Iterator[Step]) -> Streamed:
        """Progress, then the perturbation's file and its report."""
        from impress_ui.jobs.saving import save_perturbation
        from impress_ui.ui.progress import follow, learning

        for progress in follow(learning(self.settings, len(images)), steps):
            if progress.result is None:
                losses = {name: values[-1] for name, values in progress.curves.items()}
                yield None, {**_told(progress.timing), "losses": losses}
                continue
            facts = {"pictures": len(images), **_facts(progress.timing, progress.stopped)}
            path = save_perturbation(progress.step, self.folder / "universal.png", self.settings, **facts)
            told = {"settings": self.settings.model_dump(mode="json"), "losses": dict(progress.curves)}
            yield str(path), {**told, **facts}

    def stream_edits(self, pictures: Mapping[str, Picture], steps: Iterator[SampleStep]) -> StreamedFiles:
        """Progress without pictures, then the edits with their measures and what they say."""
        from impress_ui.jobs.saving import pasted, save_edits
        from impress_ui.ui.progress import work_of
        from impress_ui.ui.rooms.edit.views import sentence

        work = work_of("edit", self.settings, pictures["original"].image.size, len(pictures))
        for images, told in self._sampled(work, steps):
            if images is None:
                yield None, told
                continue
            paths = {name: self.folder / f"edit-of-{name}.png" for name in pictures}
            edits = dict(zip(pictures, images, strict=True))
            measures = save_edits(edits, paths, self.settings, reference="original", **told)
            yield (
                [str(path) for path in paths.values()],
                {
                    "pictures": list(pictures),
                    "measures": measures,
                    "verdict": sentence(measures, told["stopped"], pasted(self.settings)),
                    "settings": self.settings.model_dump(mode="json"),
                    "notes": {name: list(picture.notes) for name, picture in pictures.items()},
                    **told,
                },
            )

    def stream_generated(self, steps: Iterator[SampleStep]) -> StreamedFiles:
        """Progress without pictures, then the pictures with their seeds."""
        from impress_ui.jobs.saving import save_generated
        from impress_ui.ui.progress import generation

        for images, told in self._sampled(generation(self.settings), steps):
            if images is None:
                yield None, told
                continue
            paths = save_generated(images, lambda seed: self.folder / f"generated-{seed}.png", self.settings, **told)
            report = {"seeds": list(paths), "settings": self.settings.model_dump(mode="json"), **told}
            yield [str(path) for path in paths.values()], report

    def stream_test(self, test: StressTest | Exploration, item: str, notes: Any) -> StreamedFiles:
        """Progress, then the files of a stress test or an exploration and its report.

        Args:
            item: what it is done over, in the singular: the key of the count.
        """
        from impress_ui.jobs.saving import report_of, save_test
        from impress_ui.ui.progress import INTERVAL
        from impress_ui.ui.queue import throttled

        stopped = False
        for step, due in throttled(test.run(self.should_stop), INTERVAL, lambda step: step.done or step.stopped):
            stopped = step.stopped
            if due and not stopped:
                told = {"phase": step.phase, item: step.number, f"{item}s": step.count, "step": step.index}
                yield None, {**told, "steps": step.steps, "seconds_left": step.seconds_left}
        save_test(test, self.folder, stopped=stopped)
        files = [str(path) for path in sorted(self.folder.iterdir())]
        yield files, {**report_of(test, stopped=stopped), "notes": notes}

    def stream_study(self, study: StyleStudy) -> StreamedFiles:
        """Progress with the losses, then the study as a zip and its report."""
        from impress_ui.ui.progress import INTERVAL
        from impress_ui.ui.queue import throttled
        from impress_ui.ui.rooms.style.study import pack, report_of, save_pictures

        for step, due in throttled(study.run(should_stop=self.should_stop), INTERVAL, _ending):
            if due and not step.stopped:
                told = {"phase": step.phase, "works": step.variant, "stage": step.stage + 1, "stages": step.stages}
                yield None, {**told, "step": step.index, "steps": step.steps, "losses": step.losses}
        save_pictures(study, self.folder)
        yield [str(pack(study, self.folder))], report_of(study)

    def _sampled(self, work: Work, steps: Iterator[SampleStep]) -> Iterator[tuple[list[Image.Image] | None, Report]]:
        from impress_ui.ui.progress import follow_samples

        for progress in follow_samples(work, steps, previews=False):
            if progress.results is None:
                yield None, _told(progress.timing)
            else:
                yield progress.results, _facts(progress.timing, progress.stopped)


def _ending(step: StudyStep) -> bool:
    return step.stopped or step.index == step.steps


def _told(timing: Timing) -> Report:
    """A step on the way."""
    told = {"phase": timing.phase, "step": timing.index, "steps": timing.steps}
    return {**told, "seconds_left": timing.seconds_left}


def _facts(timing: Timing, stopped: bool) -> Report:
    """How it ended."""
    return {"stopped": stopped, "steps_done": timing.index, "seconds": round(timing.seconds, 3)}
