"""A study of a style on the page, as a stream of updates; a stopped one goes on where it was."""

from __future__ import annotations

import csv
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from impress_ui.core import workflow
from impress_ui.core.artists import Work, asked_captions, own_works, works
from impress_ui.core.classifiers.clip import ClipClassifier, load_clip_classifier
from impress_ui.core.classifiers.common import ranking
from impress_ui.core.errors import UserError
from impress_ui.core.images import save_png
from impress_ui.core.optimise import ShouldStop
from impress_ui.core.style import StudyStep, StyleStudy
from impress_ui.jobs import throttled
from impress_ui.recipes import QUICK_GLAZE
from impress_ui.settings import ClassifySettings, ProtectSettings, PurifySettings
from impress_ui.ui import style_views, views
from impress_ui.ui.layout_style import QUICK
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import INTERVAL
from impress_ui.ui.style_views import Score

# A session's study and what it was begun with. Not in a gr.State, which would be copied with all its weights.
_studies: dict[str, tuple[Any, StyleStudy]] = {}


def forget_study(session: str) -> None:
    """A closed page's study."""
    _studies.pop(session, None)


class StyleRun(PageJob):
    """Protect, purify, fine-tune, imitate and judge."""

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        study = self._study()
        page, began, phase = self.page, time.monotonic(), None
        yield self._shown(study)
        for step, due in throttled(study.run(should_stop=should_stop), INTERVAL, _telling):
            if (step.phase, step.variant) != phase:
                phase, start, first = (step.phase, step.variant), time.monotonic(), step.index
            if not due:
                continue
            seconds = time.monotonic() - start
            rate = (step.index - first) / seconds if seconds > 0 and step.index > first else 0.0
            words = style_views.phase(step.phase, step.variant, step.stage, step.stages)
            left = (step.steps - step.index) / rate if rate else None
            update: Update = {page.style_status: views.running(words, step.index, step.steps, rate, left)}
            if step.phase == "fine-tune":
                update[page.style_losses] = style_views.losses(study.curves, self.job.mimic.steps)
                if step.preview is not None:
                    path = self.folder / f"sample-{step.variant}-{step.index}.png"
                    shown = [(str(save_png(step.preview, path)), f"sample at step {step.index}")]
                    update[page.style_imitations[step.variant]] = shown
            if step.index == step.steps or step.stopped:
                update |= self._shown(study)
            yield update
        stopped = not study.finished
        if not stopped:
            yield {page.style_zip: gr.update(value=str(self._zip(study)), visible=True)}
        told = f"after {views.duration(time.monotonic() - began)}"
        yield self.ready(f"{'stopped' if stopped else 'finished'} {told}", stopped) | {
            page.style_run: gr.update(value="Go on" if stopped else "Run the study", interactive=True)
        }

    def _study(self) -> StyleStudy:
        """The session's study, if it was begun with the same works and settings and is not finished; or a new one."""
        page, values = self.page, self.values
        job = self.job
        if values[page.style_protection] == QUICK:
            quick = {"protect": ProtectSettings(**QUICK_GLAZE), "purify": PurifySettings(recipe="fast-style")}
            job = job.model_copy(update=quick)
        files, artist = tuple(values[page.style_files] or ()), values[page.style_artist]
        if files:
            artist = (values[page.style_name] or "").strip()
        relevant = {name: getattr(job, name) for name in ("run", "protect", "purify", "mimic")}
        key = artist, files, relevant, job.generate.sampling_steps
        known = _studies.get(self.session)
        if known is not None and known[0] == key and not known[1].finished:
            return known[1]
        judge = load_clip_classifier(ClassifySettings())
        if files:
            learnt = self._own(files, artist)[: job.mimic.works]
            judge = judge.with_examples(artist, [work.image for work in learnt])
        else:
            learnt = works(artist, "train", seed=job.run.seed)[: job.mimic.works]
        study = StyleStudy(learnt, asked_captions(artist, job.mimic.imitations), artist, job, judge=judge)
        _studies[self.session] = key, study
        return study

    def _own(self, files: tuple[str, ...], artist: str) -> list[Work]:
        folder = self.folder / "own"
        folder.mkdir()
        for file in map(Path, files):
            if (folder / file.name).exists():
                raise UserError(f"Two of the files are named {file.name}; give them different names.")
            shutil.copyfile(file, folder / file.name)
        return own_works(folder, artist)

    def _shown(self, study: StyleStudy) -> Update:
        """Everything that is there, in its place."""
        page, update = self.page, {}
        for name in style_views.VARIANTS:
            captions = [work.caption for work in study.works]
            update[page.style_sets[name]] = self._files(f"{name}-work", study.sets[name], captions, study)
            update[page.style_imitations[name]] = self._files(
                f"{name}-imitation", study.galleries.get(name, []), study.captions, study
            )
        scores = _scores(study)
        return {
            **update,
            page.style_losses: style_views.losses(study.curves, self.job.mimic.steps),
            page.style_bars: style_views.bars(scores),
            page.style_verdict: style_views.verdict_html(scores),
            page.style_zip: gr.update(visible=False),
        }

    def _files(
        self, name: str, images: list[Image.Image], captions: list[str], study: StyleStudy
    ) -> list[tuple[str, str]]:
        shown = []
        for number, (image, caption) in enumerate(zip(images, captions, strict=False)):
            path = self.folder / f"{name}-{number:02}.png"
            if not path.exists():
                save_png(image, path, workflow.describe_result(name, study.job, caption=caption, artist=study.artist))
            shown.append((str(path), caption))
        return shown

    def _zip(self, study: StyleStudy) -> Path:
        """Pictures, settings, losses, verdict and adapters of a finished study."""
        path = self.folder / "study.zip"
        with (self.folder / "losses.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["step", *study.curves])
            writer.writerows([step, *row] for step, row in enumerate(zip(*study.curves.values(), strict=True), 1))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("settings.json", study.job.model_dump_json(indent=1))
            archive.writestr("verdict.txt", style_views.verdict(_scores(study)) + "\n")
            archive.write(self.folder / "losses.csv", "losses.csv")
            for picture in sorted(self.folder.glob("*-work-*.png")) + sorted(self.folder.glob("*-imitation-*.png")):
                archive.write(picture, f"pictures/{picture.name}")
            for name, tuning in study.tunings.items():
                for file in tuning.save(self.folder / f"adapter-{name}").iterdir():
                    if file.is_file() and file.stem != "progress":
                        archive.write(file, f"adapter-{name}/{file.name}")
        return path


def _telling(step: StudyStep) -> bool:
    """The end of a phase and a sample are always shown."""
    return step.stopped or step.index == step.steps or step.preview is not None


def _scores(study: StyleStudy) -> dict[str, Score]:
    judge: ClipClassifier = study.judge  # type: ignore[assignment]
    return {
        name: Score(study.artist, tuple(verdict.best for verdict in ranking(study.scores[name], judge.classes, 1)))
        for name in style_views.VARIANTS
        if name in study.scores
    }
