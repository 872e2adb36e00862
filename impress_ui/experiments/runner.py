"""Carries an experiment out: unit by unit, resuming, over processes; then the table, charts, sheets and the report.

OUTPUT/NAME.csv, .json       every record, and the whole report
OUTPUT/NAME_settings.json    the settings, to be run again with --settings
OUTPUT/NAME_*.svg, *.png     charts and contact sheets
OUTPUT/NAME.html             all of it in one file
OUTPUT/NAME.md               the table alone, in Markdown
OUTPUT/NAME/                 the run's state (``folder.py``)
"""

from __future__ import annotations

import csv
import errno
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

from pydantic import ValidationError

import impress_ui
from impress_ui.errors import UserError
from impress_ui.experiments.charts import save_chart
from impress_ui.experiments.experiment import Experiment, Run, Unit
from impress_ui.experiments.folder import Record, RunFolder, write_json
from impress_ui.experiments.markdown import table_of
from impress_ui.experiments.named import own_files, purifiers_of
from impress_ui.experiments.processes import find_processes
from impress_ui.experiments.report import write_report
from impress_ui.experiments.settings import ExperimentSettings
from impress_ui.fields import sentence_of
from impress_ui.methods.purify import check_ready
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.models.checkpoints import find_source
from impress_ui.models.checksums import sha256
from impress_ui.models.lora import loras_of
from impress_ui.paths import PURIFIER
from impress_ui.pictures.contact_sheet import contact_sheet
from impress_ui.pictures.files import make_folder, written_whole

OWN_FILES = "files of the purifiers"
Log = Callable[[str], None]
PACKAGES = ("torch", "diffusers", "transformers", "peft", "lpips", "scikit-image", "torchmetrics", "pillow", "numpy")


def carry_out(experiment: Experiment, settings: ExperimentSettings, output: Path, log: Log) -> Record | None:
    """Run what is not done yet, and write the results; the report, or None in every process but the first.

    Units that fail are kept with their reason under ``failed``, the rest goes on; the next run tries them again.

    Raises:
        UserError: the output folder holds a run of this experiment with other settings, a purifier cannot run here, or
            every unit failed.
    """
    if purifiers := purifiers_of(settings):
        check_ready(purifiers, load_autoencoder(settings.run))
    processes = find_processes(settings.run.device)

    def lasting(given: ExperimentSettings) -> Record:
        """The settings without those that only say how many units there are."""
        return given.model_dump(mode="json", by_alias=True, exclude=set(experiment.extent))

    files = own_files(settings)
    others = dict.fromkeys(settings.protect.others, ("vae",))
    manifest = {
        "experiment": experiment.name,
        "settings": lasting(settings),
        "versions": versions(),
        "checkpoints": {
            **checkpoint_hashes({**others, **experiment.checkpoints(settings)}, settings.run.lora),
            **({"the learned purifier": {PURIFIER.name: sha256(PURIFIER)}} if experiment.learned(settings) else {}),
            **({OWN_FILES: {str(file): sha256(file) for file in files}} if files else {}),
        },
    }

    def completed(kept: Record) -> Record:
        """A setting that the kept run did not know yet had its default."""
        try:
            return {**kept, "settings": lasting(type(settings).model_validate(kept["settings"]))}
        except (KeyError, ValidationError):
            return kept

    if processes.first:
        make_folder(output)
        RunFolder(output / experiment.name, manifest, completed)  # made, or refused, before the others look at it
    processes.wait()
    run = Run(settings, RunFolder(output / experiment.name, manifest, completed), log)
    units = list(experiment.units(settings))
    missing = [unit for unit in units if run.folder.records(unit.name) is None]
    processes.wait()  # none begins before all have seen the same
    if processes.first and len(missing) < len(units):
        log(f"{len(units) - len(missing)} of {len(units)} units are done already")
    groups = [list(group) for _, group in groupby(missing, key=lambda unit: unit.group)]
    todo = [unit for group in processes.own(groups) for unit in group]
    for number, unit in enumerate(todo, 1):
        log(f"[{number}/{len(todo)}] {unit.name}")
        _carry_out_unit(experiment, unit, run)
    processes.wait()
    return _finish(experiment, units, run, manifest, output) if processes.first else None


def _carry_out_unit(experiment: Experiment, unit: Unit, run: Run) -> None:
    try:
        records = experiment.run(unit, run)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise  # the other units would fail too, and the run goes on where it is once there is room
        # whatever it is, it is told in the report, and the other units are worth having
        if isinstance(error, ValidationError):
            what = sentence_of(error)
        else:
            what = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        run.log(f"{unit.name} failed: {what}")
        run.folder.keep_error(unit.name, what)
    else:
        run.folder.keep(unit.name, [{**unit.key, **record} for record in records])


def _finish(experiment: Experiment, units: Sequence[Unit], run: Run, manifest: Record, output: Path) -> Record:
    """Gather what all processes have kept, in the order of the units, and write every file."""
    settings, name = run.settings, experiment.name
    kept = {unit.name: run.folder.records(unit.name) for unit in units}
    missing = [unit for unit, records in kept.items() if records is None]
    failed = [{"unit": unit, "error": run.folder.error(unit) or "it was not reached"} for unit in missing]
    records = [record for own in kept.values() for record in own or ()]
    if not records:
        reason = failed[0]["error"] if failed else "it has no units"
        raise UserError(f"Nothing of {name} could be done: {reason.rstrip('.')}.")
    rows, plain = experiment.table(settings, records), settings.model_dump(mode="json", by_alias=True)
    report: Record = {
        "experiment": name,
        "split": settings.split,
        "seed": settings.run.seed,
        "checkpoint": load_autoencoder(settings.run).describe(),
        **experiment.facts(settings, records),
        "rows": rows,
        "records": experiment.finest(records),
        "failed": failed,
        "settings": plain,
        "versions": manifest["versions"],
        "checkpoints": manifest["checkpoints"],
    }
    charts = []
    for chart in experiment.charts(settings, rows, records):
        path = output / f"{name}_{chart.name}.svg"
        save_chart(chart, path)
        charts.append((chart.title, path))
    sheets = []
    for sheet in experiment.sheets(run, rows):
        path = output / f"{name}_{sheet.name}.png"
        contact_sheet(path, sheet.labels, sheet.rows, sheet.width, sheet.names)
        sheets.append((sheet.name.replace("_", " "), path))
    write_json(output / f"{name}_settings.json", plain)
    write_json(output / f"{name}.json", report)
    _write_csv(output / f"{name}.csv", report["records"])
    heading = f"# {name.capitalize()}\n\n{experiment.about}\n\n"
    (output / f"{name}.md").write_text(heading + table_of(rows, experiment.columns), encoding="utf-8")
    write_report(output / f"{name}.html", report, experiment, charts, sheets)
    return report


def _write_csv(path: Path, records: Sequence[Record]) -> None:
    """Every record; a column for each name that any of them has."""
    names = list(dict.fromkeys(name for record in records for name in record))
    with written_whole(path) as part, part.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=names)
        writer.writeheader()
        writer.writerows(records)


def versions() -> dict[str, str]:
    """Versions of this program, of Python and of every package that a figure goes through."""
    found = {"impress": impress_ui.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def checkpoint_hashes(checkpoints: Mapping[str, Sequence[str]], loras: str = "") -> dict[str, dict[str, str]]:
    """SHA-256 of every weights file of the named parts of checkpoints: ``{checkpoint: {"vae/...": hash}}``.

    ``loras``, as ``run.lora`` has them, are a checkpoint of their own: ``{"lora": {file: hash}}``.

    Raises:
        UserError: no such checkpoint, or it lacks a part.
    """
    found: dict[str, dict[str, str]] = {}
    for checkpoint, names in checkpoints.items():
        source = find_source(checkpoint)
        ours = found.setdefault(checkpoint, {})
        for name in names:
            part = source.part(name)
            ours |= {f"{name}/{file.name}": sha256(file) for file in part.weight_files()}
    return {**found, "lora": {str(path): sha256(path) for path, _ in loras_of(loras)}} if loras else found
