"""The command line's jobs over a file or a folder: open, run, save, measure, and report as plain data."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.cli.interruption import stop_on_interrupt
from impress_ui.cli.outputs import opened, pairs_of, targets
from impress_ui.cli.report import Report
from impress_ui.cli.runs import follow, in_words, over_inputs, report_of, row_of
from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.jobs.check import checked
from impress_ui.jobs.saving import as_saved, save_perturbation, save_result, squares_of
from impress_ui.measures.metrics import measure, round_trip_error
from impress_ui.methods.optimise import LossHistory, ShouldStop, Step
from impress_ui.methods.trust import budget_found
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.pictures.files import distinct_names
from impress_ui.pictures.images import (
    Picture,
    gathered,
    open_picture,
    pictures_in,
    save_png,
    to_images,
    to_tensor,
    with_target,
)
from impress_ui.pictures.masks import with_mask
from impress_ui.settings import JobSettings

Attempt = Callable[[Image.Image, Image.Image | None, Image.Image | None, ShouldStop], Iterator[Step]]

logging.getLogger("diffusers").setLevel(logging.ERROR)


def protect_files(
    source: Path,
    output: Path,
    job: JobSettings,
    *,
    mask: Path | None,
    target: Path | None,
    universal: Path | None = None,
) -> Report:
    """Protect every picture of ``source``; the report holds settings, losses, measures and seconds.

    Args:
        universal: file of a perturbation that is added as it is, without an attack of the picture's own.
    """

    def run(
        image: Image.Image, laid: Image.Image | None, aim: Image.Image | None, should_stop: ShouldStop
    ) -> Iterator[Step]:
        if universal is not None:
            return workflow.apply_universal(image, universal, job, mask=laid)
        return workflow.protect_picture(image, job, mask=laid, target=aim, should_stop=should_stop)

    facts = {} if universal is None else {"universal": universal.name}
    return _over_files("protect", "protected", source, output, job, run, mask=mask, target=target, **facts)


def purify_files(source: Path, output: Path, job: JobSettings, *, mask: Path | None) -> Report:
    """Purify every picture of ``source``; the report holds settings, losses, measures and seconds."""

    def run(image: Image.Image, laid: Image.Image | None, _: object, should_stop: ShouldStop) -> Iterator[Step]:
        return workflow.purify_picture(image, job, mask=laid, should_stop=should_stop)

    return _over_files("purify", "purified", source, output, job, run, mask=mask)


def reconstruct_files(source: Path, output: Path, job: JobSettings) -> Report:
    """Save the reconstruction of every picture of ``source``, measured against its picture."""

    def one(path: Path, target: Path, _: ShouldStop) -> Report:
        began = time.monotonic()
        picture = opened(path, job)
        image = workflow.reconstruct(picture.image, job)
        measures = {"against_original": measure(image, picture.image).as_dict()}
        save_png(image, target, workflow.describe_result("reconstructed", job, measures=measures))
        return _saved(path, target, picture, measures, time.monotonic() - began)

    return _over(source, output, "reconstruct", job, one)


def measure_files(a: Path, b: Path, job: JobSettings) -> Report:
    """Measures of A against B, and of each its round-trip error and the budget found; folders are paired by name."""
    autoencoder = load_autoencoder(job.run)

    def one(left: Path, right: Path, _: ShouldStop) -> Report:
        first, second = opened(left, job), opened(right, job)
        workflow.same_size(first.image, second, "picture B")
        tensors = {
            side: to_tensor(picture.image, autoencoder.device) for side, picture in (("a", first), ("b", second))
        }
        errors = {side: round_trip_error(x, autoencoder).item() for side, x in tensors.items()}
        budgets = {side: budget_found(x).item() for side, x in tensors.items()}
        measures = measure(first.image, second.image).as_dict()
        shown = (
            f"{in_words(measures, measures)}, round-trip error {errors['a']:.4f} and {errors['b']:.4f}, "
            f"budget found {budgets['a']:.1f} and {budgets['b']:.1f}"
        )
        summary = f"{left.name} against {right.name}: {shown}"
        notes = [f"{path.name}: {note}" for path, each in ((left, first), (right, second)) for note in each.notes]
        about = {"round_trip_error": errors, "budget_found": budgets, "notes": notes, "summary": summary}
        return {"a": str(left), "b": str(right), **measures, **about}

    several = a.is_dir()
    pairs, left_out = _matched(a, b)
    rows = over_inputs(pairs, one, job=job, several=several, names=("a", "b"))
    return _report("measure", job, rows, several, left_out)


def universal_file(source: Path, output: Path, job: JobSettings, *, target: Path | None) -> Report:
    """Learn a perturbation over the pictures of ``source`` at the working size, and save it with its settings."""
    began = time.monotonic()
    if output.is_dir():
        raise UserError(f"{output.name} is a folder; give --output a file that ends in .png.")
    found = gathered(source)
    ((_, path),) = targets(found.files[:1], output, as_folder=False)
    left_out = dict(found.left_out)
    images = squares_of(found.files, job.run.size, left_out)
    history = LossHistory()
    with stop_on_interrupt() as should_stop:
        aim = None if target is None else open_picture(target).image
        steps = workflow.learn_universal(images, job, target=aim, should_stop=should_stop)
        last = follow(source.name, steps, history)
    facts = {"pictures": len(images), "steps_done": last.index, "stopped": last.stopped}
    save_perturbation(last, path, job, **facts)
    places = {"input": str(source), "output": str(path), "left_out": left_out}
    report = report_of("universal", job, began, **places, losses=history.curves, **facts)
    pictures = f"{len(images)} picture{'' if len(images) == 1 else 's'}"
    return {**report, "summary": f"{path} ({report['seconds']:.1f} s): learnt over {pictures}"}


def _over_files(
    command: str,
    kind: str,
    source: Path,
    output: Path,
    job: JobSettings,
    run: Attempt,
    mask: Path | None = None,
    target: Path | None = None,
    **facts: Any,
) -> Report:
    def one(path: Path, place: Path, should_stop: ShouldStop) -> Report:
        began = time.monotonic()
        picture, laid = with_mask(opened(path, job, whole=True), mask)
        picture, aim = with_target(picture, target)
        history = LossHistory()
        last = follow(path.name, run(picture.image, laid, aim, should_stop), history)
        seconds = time.monotonic() - began
        image = to_images(last.result)[0]
        measures = workflow.measures_of(as_saved(image, picture, job), job, picture.image)
        described = workflow.describe_result(kind, job, measures=measures, stopped=last.stopped, **facts)
        save_result(image, place, described, picture, job)
        row = _saved(path, place, picture, measures, seconds)
        if last.fault:
            row["summary"] += f"; {last.fault}"
        if last.note:
            row["notes"].append(last.note)
        found = checked(
            kind, as_saved(image, picture, job), picture.image, job, stopped=last.stopped, should_stop=should_stop
        )
        if found:
            row["summary"] += f"\n{found['check']['sentence']}"
        how = {"losses": history.curves, "steps_done": last.index, "stopped": last.stopped, "fault": last.fault}
        return {**row, **how, **found}

    return _over(source, output, command, job, one)


def _over(source: Path, output: Path, command: str, job: JobSettings, one: Callable[..., Report]) -> Report:
    """The report of a command over a picture or a folder of them."""
    pairs, left_out = pairs_of(source, output)
    several = source.is_dir()
    return _report(command, job, over_inputs(pairs, one, job=job, several=several), several, left_out)


def _saved(path: Path, target: Path, picture: Picture, measures: Report, seconds: float) -> Report:
    """The row of a picture that was made in so many seconds."""
    shown = in_words(measures.get("against_original", {}), ("ssim", "psnr", "vif", "lpips", "linf"))
    verdict = f"; {measures['verdict']}" if measures.get("verdict") else ""
    own = measures.get("whole")
    seen = f" as the model sees it; itself {own['width']}x{own['height']}, linf {own['linf']:g}" if own else ""
    summary = f"{target} ({seconds:.1f} s) against {path.name}: {shown}{seen}{verdict}"
    return {**row_of(path, target, picture, measures, summary), "seconds": round(seconds, 3)}


def _report(command: str, job: JobSettings, rows: list[Report], several: bool, left_out: Mapping[str, str]) -> Report:
    """One object: a single file's figures stand at the top, a folder's in ``results``, with what was ``left_out``."""
    head = {"command": command, "settings": job.model_dump(mode="json")}
    return {**head, "results": rows, "left_out": dict(left_out)} if several else {**head, **rows[0]}


def _matched(a: Path, b: Path) -> tuple[list[tuple[Path, Path]], dict[str, str]]:
    """The pairs of two folders, and what is left out of either, with why.

    Files of one name belong together, and a file and what this program makes of it: ``targets`` names that.
    """
    if a.is_dir() != b.is_dir():
        raise UserError("Give two pictures, or two folders with the same file names.")
    if not a.is_dir():
        return [(pictures_in(a)[0], pictures_in(b)[0])], {}
    left, right = gathered(a), gathered(b)
    left_out = {f"{a.name}/{name}": why for name, why in left.left_out.items()}
    left_out |= {f"{b.name}/{name}": why for name, why in right.left_out.items()}
    others = {path.name: path for path in right.files}
    made_of = {f"{name}.png": path for path, name in zip(right.files, distinct_names(right.files), strict=True)}
    pairs = []
    for path, name in zip(left.files, distinct_names(left.files), strict=True):
        partner = others.get(path.name) or others.get(f"{name}.png") or made_of.get(path.name)
        if partner is None:
            left_out[f"{a.name}/{path.name}"] = f"no partner in {b.name}"
        else:
            pairs.append((path, partner))
    taken = {partner for _, partner in pairs}
    left_out |= {f"{b.name}/{path.name}": f"no partner in {a.name}" for path in right.files if path not in taken}
    if not pairs:
        raise UserError("The two folders share no file name; name the pictures alike.")
    return pairs, left_out
