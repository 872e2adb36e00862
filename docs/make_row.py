"""Draw docs/row.webp, the README's picture, at the default settings: ``PYTHONPATH=. python docs/make_row.py``."""

from __future__ import annotations

from pathlib import Path

from impress_ui.jobs import workflow
from impress_ui.methods.optimise import run_to_end
from impress_ui.pictures.contact_sheet import contact_sheet
from impress_ui.pictures.images import to_images
from impress_ui.pictures.photographs import names_of, wholes
from impress_ui.settings import JobSettings

PHOTOGRAPHS = ("city11", "mountain1", "beach5")


def main() -> None:
    """One row a photograph: each of clean, protected and purified beside its reconstruction."""
    job, rows = JobSettings(), []
    for clean in [wholes("test", job.run.size)[names_of("test").index(name)] for name in PHOTOGRAPHS]:
        protected = to_images(run_to_end(workflow.protect_picture(clean, job)).result)[0]
        purified = to_images(run_to_end(workflow.purify_picture(protected, job)).result)[0]
        rows.append([p for x in (clean, protected, purified) for p in (x, workflow.reconstruct(x, job))])
    labels = ["x", "V(x)", "protected", "V(protected)", "purified", "V(purified)"]
    contact_sheet(Path(__file__).parent / "row.webp", labels, rows, width=256)


if __name__ == "__main__":
    main()
