"""A study of a style on the page, as a stream of updates; a stopped one goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from impress_ui.core.images import save_png
from impress_ui.core.optimise import ShouldStop
from impress_ui.core.style import StudyStep, StyleStudy
from impress_ui.results_style import save_archive, save_gallery, save_set
from impress_ui.ui import style_views, views
from impress_ui.ui.page_job import PageJob, Update
from impress_ui.ui.progress import Timing
from impress_ui.ui.runs import STUDIES
from impress_ui.ui.style_plan import follow, wanted_on
from impress_ui.ui.style_study import begin, scores_of


class StyleRun(PageJob):
    """Protect, purify, fine-tune, imitate and judge."""

    def work(self, should_stop: ShouldStop) -> Iterator[Update]:
        page = self.page
        wanted = wanted_on(page, self.values)
        known = STUDIES.get(self.session)
        study = known[1] if known and known[0] == wanted else begin(wanted, self.folder)
        # Begun: from here on the page shows this study, and a click goes on with it.
        STUDIES[self.session] = wanted, study
        yield {**self._shown(study), page.style_zip: gr.update(value=None, visible=False)}
        for step, timing in follow(study, should_stop):
            yield self._update(study, step, timing)
        stopped, told = not study.finished, f"{len(study.scores)} of {len(study.variants)} sets of works judged"
        if not stopped:
            del STUDIES[self.session]  # a next click begins anew, and nothing holds the weights
            told = f"{study.artist} was imitated {len(study.captions)} times from each set of works"
            yield {page.style_status: views.status("Saving", "the pictures and the fine-tuned models", "running", 1.0)}
            archive = save_archive(study, style_views.verdict(scores_of(study)), self.folder)
            yield {page.style_zip: gr.update(value=str(archive), visible=True)}
        button = gr.update(value=style_views.button(stopped), interactive=True)
        yield {**self.ready(told, stopped), page.style_run: button}

    def _update(self, study: StyleStudy, step: StudyStep, timing: Timing) -> Update:
        page = self.page
        words = style_views.phase(step.phase, step.variant, step.stage, step.stages)
        line = views.running(words, step.index, step.steps, timing.rate, timing.seconds_left)
        update: Update = {page.style_status: line}
        if step.phase == "fine-tune":
            update[page.style_losses] = style_views.losses(study.curves, study.job.mimic.steps)
            if step.preview is not None:
                path = save_png(step.preview, self.folder / f"sample-{step.variant}-{step.index}.png")
                update[page.style_imitations[step.variant]] = [(str(path), f"a sample at step {step.index}")]
        if step.index == step.steps:
            update |= self._pictures(study)
        if step.phase == "judge":
            update |= self._judged(study)
        return update

    def _shown(self, study: StyleStudy) -> Update:
        """Everything that is there, in its place."""
        losses = style_views.losses(study.curves, study.job.mimic.steps)
        return {**self._pictures(study), **self._judged(study), self.page.style_losses: losses}

    def _pictures(self, study: StyleStudy) -> Update:
        """The works of each set and what was imitated from them; a sample stays until its imitations are there."""
        page, folder = self.page, self.folder
        begun = {name for name, curve in study.curves.items() if curve}
        sets = {page.style_sets[name]: save_set(study, name, folder) for name in style_views.VARIANTS}
        made = {
            page.style_imitations[name]: save_gallery(study, name, folder)
            for name in style_views.VARIANTS
            if name in study.galleries or name not in begun
        }
        return {**sets, **made}

    def _judged(self, study: StyleStudy) -> Update:
        scores = scores_of(study)
        return {
            self.page.style_bars: style_views.bars(scores),
            self.page.style_verdict: style_views.verdict_html(scores, study.style),
        }
