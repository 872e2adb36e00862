"""A study of a style on the page, as a stream of updates; a stopped one goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from impress_ui.jobs.style import StudyStep, StyleStudy
from impress_ui.methods.optimise import ShouldStop
from impress_ui.pictures.images import save_png
from impress_ui.ui import views
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import INTERVAL
from impress_ui.ui.queue import throttled
from impress_ui.ui.rooms.style import study as style_study
from impress_ui.ui.rooms.style import views as style_views
from impress_ui.ui.rooms.style.views import QUICK

# A session's study and what it was begun with. Not in a gr.State, which would be copied with all its weights.
_studies: dict[str, tuple[Any, StyleStudy]] = {}


def forget_study(session: str) -> None:
    """A closed page's study."""
    _studies.pop(session, None)


class StyleRun(PageJob):
    """Protect, purify, fine-tune, imitate and judge."""

    title, parts, room = "Style study", ("style",), "style"

    def draws_seed(self) -> bool:
        """A study that was stopped goes on with the seed that it has."""
        known = _studies.get(self.session)
        return known is None or known[1].finished

    def curves(self) -> tuple[dict[str, list[float]], dict[str, int]]:
        known = _studies.get(self.session)
        return (dict(known[1].curves), dict.fromkeys(known[1].curves, self.job.mimic.steps)) if known else ({}, {})

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        study = self._study()
        room, began, phase = self.here, time.monotonic(), None
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
            update: Update = {room.status: views.running(words, step.index, step.steps, rate, left)}
            if step.phase == "fine-tune":
                update[room.losses] = style_views.losses(study.curves, self.job.mimic.steps)
                if step.preview is not None:
                    path = self.folder / f"sample-{step.variant}-{step.index}.png"
                    shown = [(str(save_png(step.preview, path)), f"sample at step {step.index}")]
                    update[room.imitations[step.variant]] = shown
            if step.index == step.steps or step.stopped:
                update |= self._shown(study)
            yield update
        stopped = not study.finished
        if not stopped:
            yield {room.zip: gr.update(value=str(style_study.pack(study, self.folder)), visible=True)}
        told = f"after {views.duration(time.monotonic() - began)}"
        yield self.ready(f"{'stopped' if stopped else 'finished'} {told}", stopped) | {
            room.run: gr.update(value="Go on" if stopped else "Run the study", interactive=True)
        }

    def _study(self) -> StyleStudy:
        """The session's study, if it was begun with the same works and settings and is not finished; or a new one."""
        room, values = self.here, self.values
        job = self.job
        if values[room.protection] == QUICK:
            job = style_study.quick(job)
        files, artist = tuple(values[room.files] or ()), values[room.artist]
        if files:
            artist = (values[room.label] or "").strip()
        relevant = {name: getattr(job, name) for name in ("run", "protect", "purify", "mimic")}
        key = artist, files, relevant, job.generate.sampling_steps
        known = _studies.get(self.session)
        if known is not None and known[0] == key and not known[1].finished:
            return known[1]
        study = style_study.begin(job, artist, files, self.folder)
        _studies[self.session] = key, study
        return study

    def _shown(self, study: StyleStudy) -> Update:
        """Everything that is there, in its place."""
        room, update = self.here, {}
        saved = style_study.save_pictures(study, self.folder)
        for name in style_views.VARIANTS:
            update[room.sets[name]] = saved[f"{name}-work"]
            update[room.imitations[name]] = saved[f"{name}-imitation"]
        scores = style_study.scores_of(study)
        return {
            **update,
            room.losses: style_views.losses(study.curves, self.job.mimic.steps),
            room.bars: style_views.bars(scores),
            room.verdict: style_views.verdict_html(scores),
            room.zip: gr.update(visible=False),
        }


def _telling(step: StudyStep) -> bool:
    """The end of a phase and a sample are always shown."""
    return step.stopped or step.index == step.steps or step.preview is not None
