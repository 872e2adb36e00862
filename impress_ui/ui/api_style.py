"""The endpoint that studies a style: works and settings in, the imitations' accuracies and the study's files out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from impress_ui.recipes import QUICK_GLAZE
from impress_ui.settings import JobSettings, ProtectSettings
from impress_ui.ui.api_job import ApiJob, Report, StreamedFiles, job_of

if TYPE_CHECKING:
    from impress_ui.core.style import StudyStep, StyleStudy
    from impress_ui.ui.progress import Timing


def style(
    artist: str, settings: dict | None = None, works: list[str] | None = None, request: gr.Request = None
) -> StreamedFiles:
    """Can a model imitate an artist from clean, from protected, and from purified works?

    Streams {"phase", "variant", "step", "steps", "stage", "stages", "losses", "seconds_left"}, then the imitations as
    PNG files and at last a zip of everything, and a report with the accuracy of the classifier for each set of works.
    Without settings for the protection it is GLAZE in 60 steps. A study that is stopped gives what it has.

    Args:
        artist: one of those that come along, or what captions call the style of the given works.
        works: pictures of one's own, four or more, and captions.txt for those who have one.
    """
    with job_of(settings, request) as job:
        from impress_ui.ui.style_plan import Wanted, follow, relevant
        from impress_ui.ui.style_study import begin

        yield from job.wait()
        wanted = Wanted((artist or "").strip(), tuple(works or ()), relevant(_with_glaze(job.settings)))
        study = begin(wanted, job.folder)
        stopped = False
        for step, timing in follow(study, job.should_stop):
            stopped = step.stopped
            yield None, _told(step, timing)
        yield _result(study, job, stopped)


def _with_glaze(job: JobSettings) -> JobSettings:
    given = "protect" in job.model_fields_set
    return job if given else job.model_copy(update={"protect": ProtectSettings(**QUICK_GLAZE)})


def _told(step: StudyStep, timing: Timing) -> Report:
    return {
        "phase": step.phase,
        "variant": step.variant,
        "step": step.index,
        "steps": step.steps,
        "stage": step.stage + 1,
        "stages": step.stages,
        "losses": step.losses,
        "seconds_left": timing.seconds_left,
    }


def _result(study: StyleStudy, job: ApiJob, stopped: bool) -> tuple[list[str], Report]:
    from impress_ui.results_style import save_archive, save_gallery
    from impress_ui.ui import style_views
    from impress_ui.ui.style_study import scores_of

    scores = scores_of(study)
    verdict = style_views.verdict(scores)
    archive = save_archive(study, verdict, job.folder)
    made = {name: save_gallery(study, name, job.folder) for name in study.galleries}
    report = {
        "artist": study.artist,
        "target_style": study.style,
        "accuracy": {
            name: {"value": score.share, "standard_error": score.error, "n": len(score.found), "found": score.found}
            for name, score in scores.items()
        },
        "verdict": verdict,
        "imitations": {name: [caption for _, caption in files] for name, files in made.items()},
        "settings": study.job.model_dump(mode="json"),
        "stopped": stopped,
    }
    return [*(path for files in made.values() for path, _ in files), str(archive)], report
