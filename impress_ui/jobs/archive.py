"""A run as one zip: its pictures, its settings, its losses as CSV, and a readme that says how to make it again."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import impress_ui
from impress_ui.jobs.documents import to_json, to_query
from impress_ui.settings import JobSettings

README = """{title}

Made by IMPRESS {version} with seed {seed} on the checkpoint {checkpoint}.

{contents}
The same again, in the program:

  page           Import settings.json, or any PNG of this archive that was made by the program; or add the line below
                 to the page's address
  command line   python -m impress_ui COMMAND ... --settings settings.json
  link           {link}
"""
ABOUT = {
    "settings.json": "every setting, in full",
    "losses.csv": "the losses, a line a step",
    "measures.json": "the table of measures",
}


def write_zip(
    path: Path,
    title: str,
    job: JobSettings,
    files: Mapping[str, Path | str],
    *,
    curves: Mapping[str, Sequence[float]] | None = None,
    first_step: int = 0,
    measures: Any = None,
) -> Path:
    """Write the archive of a run.

    Args:
        title: what the run was, in a line.
        files: what to put in, by the name in the archive.
        curves: losses by name, from the step ``first_step`` on.
        measures: plain data to keep as JSON.

    Returns:
        The path.
    """
    texts = {"settings.json": to_json(job)}
    if curves:
        texts["losses.csv"] = losses_csv(curves, first_step)
    if measures:
        texts["measures.json"] = json.dumps(measures, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    told = [f"  {name:<15}{ABOUT[name]}" for name in texts]
    told += [f"  {name}" for name in files]
    query = to_query(job)
    readme = README.format(
        title=title, version=impress_ui.__version__, seed=job.run.seed, checkpoint=job.run.checkpoint,
        contents="\n".join(told) + "\n", link=f"?{query}" if query else "none is needed: every setting is the default",
    )  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", readme)
        for name, text in texts.items():
            archive.writestr(name, text)
        for name, file in files.items():
            # Pictures and weights are packed already.
            archive.write(file, name, zipfile.ZIP_STORED)
    return path


def zip_folder(folder: Path, name: str, title: str, job: JobSettings) -> Path:
    """An archive ``name`` in a folder, with the folder's other files."""
    files = {file.name: file for file in sorted(folder.iterdir()) if file.name != name}
    return write_zip(folder / name, title, job, files)


def losses_csv(curves: Mapping[str, Sequence[float]], first_step: int = 0) -> str:
    """A line a step and a column a loss; shorter runs leave their last cells empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *curves])
    for step, values in enumerate(zip_longest(*curves.values(), fillvalue=""), first_step):
        writer.writerow([step, *values])
    return text.getvalue()
