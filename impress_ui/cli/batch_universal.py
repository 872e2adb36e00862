"""The command line's universal perturbation: learnt over a folder, saved as one file."""

from __future__ import annotations

import time
from pathlib import Path

from impress_ui.cli.batch import Report, optional_picture, progress, stop_on_interrupt, targets
from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.jobs.universal_files import save_perturbation, squares_of
from impress_ui.methods.optimise import LossHistory
from impress_ui.pictures.images import pictures_in
from impress_ui.settings import JobSettings


def universal_file(source: Path, output: Path, job: JobSettings, *, target: Path | None) -> Report:
    """Learn a perturbation over the pictures of ``source`` at the working size, and save it with its settings."""
    began = time.monotonic()
    if output.is_dir():
        raise UserError(f"{output.name} is a folder; give --output a file that ends in .png.")
    files = pictures_in(source)
    ((_, path),) = targets(files[:1], output, as_folder=False)
    images = squares_of(files, job.run.size)
    history = LossHistory()
    with stop_on_interrupt() as should_stop:
        last = None
        for last in workflow.learn_universal(images, job, target=optional_picture(target), should_stop=should_stop):
            history.add(last)
            progress(source.name, last)
    assert last is not None and last.result is not None
    facts = {"pictures": len(files), "steps_done": last.index, "stopped": last.stopped}
    save_perturbation(last, path, job, **facts)
    seconds = round(time.monotonic() - began, 3)
    return {
        "command": "universal",
        "settings": job.model_dump(mode="json"),
        "input": str(source),
        "output": str(path),
        "losses": history.curves,
        "seconds": seconds,
        "summary": f"{path} ({seconds:.1f} s): learnt over {len(files)} picture{'' if len(files) == 1 else 's'}",
        **facts,
    }
