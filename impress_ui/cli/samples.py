"""The command line's jobs that run the sampler: edits of several pictures with one noise, and pictures from text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from impress_ui.cli.interruption import stop_on_interrupt
from impress_ui.cli.outputs import opened, targets
from impress_ui.cli.report import Report
from impress_ui.cli.runs import follow, in_words, report_of, row_of
from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.jobs.saving import Measures, check_seeds, save_edits, save_generated
from impress_ui.pictures.masks import with_mask
from impress_ui.settings import JobSettings


def edit_files(
    sources: Sequence[Path], output: Path, job: JobSettings, *, reference: Path | None, mask: Path | None
) -> Report:
    """Edit pictures of one size with the same noise, and measure their edits against the reference's.

    The reference is edited and saved along with the others; without one it is the first of several pictures.
    """
    began = time.monotonic()
    for source in sources:
        if source.is_dir():
            raise UserError(f"{source.name} is a folder; give edit the pictures themselves.")
    files = list(sources)
    if reference is not None and reference.resolve() not in [path.resolve() for path in files]:
        files.insert(0, reference)
    against = files[0] if len(files) > 1 else None
    if reference is not None:
        against = next(path for path in files if path.resolve() == reference.resolve())
    pairs = targets(files, output, as_folder=len(files) > 1)
    pictures = {str(path): opened(path, job) for path in files}
    if len(pictures) < len(files):
        raise UserError("A picture was given more than once; give each one once.")
    for path, picture in pictures.items():
        workflow.same_size(next(iter(pictures.values())).image, picture, f"picture {Path(path).name}")
    images = [picture.image for picture in pictures.values()]
    pictures[str(files[0])], laid = with_mask(pictures[str(files[0])], mask)
    with stop_on_interrupt() as should_stop:
        steps = workflow.edit_pictures(images, job, mask=laid, should_stop=should_stop)
        last = follow("edit", steps)
    facts = {"stopped": last.stopped, "steps_done": last.index}
    paths = {str(path): target for path, target in pairs}
    named = None if against is None else str(against)
    measures = save_edits(dict(zip(pictures, last.results, strict=True)), paths, job, reference=named, **facts)
    results = [
        row_of(path, paths[path], picture, measures[path], _summary(paths[path], measures[path], named, path))
        for path, picture in pictures.items()
    ]
    return report_of("edit", job, began, reference=named, **facts, results=results)


def generate_files(output: Path, job: JobSettings) -> Report:
    """Make pictures from text: a .png file for one, a folder for several."""
    began = time.monotonic()
    check_seeds(job)
    names = [Path(f"seed-{job.run.seed + number}.png") for number in range(job.generate.count)]
    files = [target for _, target in targets(names, output, as_folder=len(names) > 1)]
    by_seed = {job.run.seed + number: file for number, file in enumerate(files)}
    with stop_on_interrupt() as should_stop:
        last = follow("generate", workflow.generate_pictures(job, should_stop=should_stop))
    facts = {"stopped": last.stopped, "steps_done": last.index}
    save_generated(last.results, by_seed.__getitem__, job, **facts)
    results = [
        {"seed": seed, "output": str(path), "summary": f"{path} from seed {seed}"} for seed, path in by_seed.items()
    ]
    return report_of("generate", job, began, **facts, results=results)


def _summary(target: Path, measures: Measures, reference: str | None, path: str) -> str:
    if measures is None:
        return f"{target}: the edit of {Path(path).name}{', the reference' if path == reference else ''}"
    shown = in_words(measures, ("ssim", "psnr", "vif", "lpips", "clip_similarity", "clip_score"))
    return f"{target} against the edit of {Path(reference or '').name}: {shown}"
