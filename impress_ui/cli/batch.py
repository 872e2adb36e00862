"""The command line's jobs over a file or a folder: open, run, save, measure, and report as plain data."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.measures.metrics import measure, round_trip_error
from impress_ui.methods.optimise import LossHistory, Step
from impress_ui.models.autoencoder import load_autoencoder
from impress_ui.models.shortage import is_out_of_memory, release, what_would_fit
from impress_ui.pictures.images import Picture, fit, open_picture, pictures_in, save_png, to_images
from impress_ui.settings import JobSettings

Report = dict[str, Any]
Run = Callable[[Image.Image, Callable[[], bool]], Iterator[Step]]

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
    mask_image, target_image = optional_picture(mask), optional_picture(target)

    def run(image: Image.Image, should_stop: Callable[[], bool]) -> Iterator[Step]:
        if universal is not None:
            return workflow.apply_universal(image, universal, job, mask=mask_image)
        return workflow.protect_picture(image, job, mask=mask_image, target=target_image, should_stop=should_stop)

    facts = {} if universal is None else {"universal": universal.name}
    return _over_files("protect", "protected", source, output, job, run, **facts)


def purify_files(source: Path, output: Path, job: JobSettings, *, mask: Path | None) -> Report:
    """Purify every picture of ``source``; the report holds settings, losses, measures and seconds."""
    mask_image = optional_picture(mask)

    def run(image: Image.Image, should_stop: Callable[[], bool]) -> Iterator[Step]:
        return workflow.purify_picture(image, job, mask=mask_image, should_stop=should_stop)

    return _over_files("purify", "purified", source, output, job, run)


def reconstruct_files(source: Path, output: Path, job: JobSettings) -> Report:
    """Save the reconstruction of every picture of ``source``, measured against its picture."""
    results = []
    for path, target in _pairs(source, output):
        began = time.monotonic()
        picture = opened(path, job)
        image = workflow.reconstruct(picture.image, job)
        measures = {"against_original": measure(image, picture.image).as_dict()}
        save_png(image, target, workflow.describe_result("reconstructed", job, measures=measures))
        results.append(_result(path, target, picture, measures, time.monotonic() - began))
    return _report("reconstruct", source, job, results)


def measure_files(a: Path, b: Path, job: JobSettings) -> Report:
    """Measures of A against B and the round-trip error of each; folders are paired by file name."""
    autoencoder = load_autoencoder(job.run)
    results = []
    for left, right in _matched(a, b):
        first, second = opened(left, job), opened(right, job)
        workflow.same_size(first.image, second, "picture B")
        errors = {
            side: round_trip_error(workflow.to_tensor(picture.image, autoencoder.device), autoencoder).item()
            for side, picture in (("a", first), ("b", second))
        }
        measures = measure(first.image, second.image).as_dict()
        shown = ", ".join(f"{name} {value:.4f}" for name, value in measures.items() if value is not None)
        summary = f"{left.name} against {right.name}: {shown}, round-trip error {errors['a']:.4f} and {errors['b']:.4f}"
        results.append({"a": str(left), "b": str(right), **measures, "round_trip_error": errors, "summary": summary})
    return _report("measure", a, job, results)


def _over_files(
    command: str, kind: str, source: Path, output: Path, job: JobSettings, run: Run, **facts: Any
) -> Report:
    results: list[Report] = []
    with stop_on_interrupt() as should_stop:
        for path, target in _pairs(source, output):
            try:
                results.append(_one_file(kind, path, target, job, run, should_stop, facts))
            except (UserError, MemoryError, RuntimeError) as caught:
                error: Exception = caught
                if is_out_of_memory(caught):
                    release(caught)
                    error = UserError(what_would_fit(job))
                if not source.is_dir() or not isinstance(error, UserError):
                    raise error from None
                # The rest of a folder is done all the same.
                results.append({"input": str(path), "error": str(error), "summary": f"{path.name}: {error}"})
            if results[-1].get("stopped") and not results[-1]["fault"]:
                break
    return _report(command, source, job, results)


def _one_file(
    kind: str,
    path: Path,
    target: Path,
    job: JobSettings,
    run: Run,
    should_stop: Callable[[], bool],
    facts: dict[str, Any],
) -> Report:
    began = time.monotonic()
    picture = opened(path, job)
    history = LossHistory()
    last = None
    for last in run(picture.image, should_stop):
        history.add(last)
        progress(path.name, last)
    assert last is not None and last.result is not None
    seconds = time.monotonic() - began
    image = to_images(last.result)[0]
    measures = workflow.measures_of(image, job, picture.image)
    save_png(image, target, workflow.describe_result(kind, job, measures=measures, stopped=last.stopped, **facts))
    result = _result(path, target, picture, measures, seconds)
    if last.fault:
        result["summary"] += f"; {last.fault}"
    facts = {"losses": history.curves, "steps_done": last.index, "stopped": last.stopped, "fault": last.fault}
    return {**result, **facts}


def _result(path: Path, target: Path, picture: Picture, measures: Report, seconds: float) -> Report:
    figures = measures.get("against_original", {})
    shown = ", ".join(
        f"{name} {figures[name]:.4f}"
        for name in ("ssim", "psnr", "vif", "lpips", "linf")
        if figures.get(name) is not None
    )
    verdict = f"; {measures['verdict']}" if measures.get("verdict") else ""
    return {
        "input": str(path),
        "output": str(target),
        "notes": list(picture.notes),
        "measures": measures,
        "seconds": round(seconds, 3),
        "summary": f"{target} ({seconds:.1f} s) against {path.name}: {shown}{verdict}",
    }


def _report(command: str, source: Path, job: JobSettings, results: list[Report]) -> Report:
    """One object: a single file's figures stand at the top, a folder's in ``results``."""
    head = {"command": command, "settings": job.model_dump(mode="json")}
    if not source.is_dir():
        return {**head, **results[0]}
    return {**head, "results": results}


def opened(path: Path, job: JobSettings) -> Picture:
    """The picture at its working size."""
    return fit(open_picture(path), job.run.size)


def optional_picture(path: Path | None) -> Image.Image | None:
    """A mask or a target, where one was given."""
    return None if path is None else open_picture(path).image


def _pairs(source: Path, output: Path) -> list[tuple[Path, Path]]:
    """(picture, file to write) for a file or a folder; the folders that are needed are made."""
    return spared(targets(pictures_in(source), output, as_folder=source.is_dir()))


def targets(files: Sequence[Path], output: Path, *, as_folder: bool) -> list[tuple[Path, Path]]:
    """(picture, file to write) for each file: in the folder ``output``, or ``output`` itself; folders are made.

    Raises:
        UserError: no PNG, or not to be made.
    """
    if as_folder and (output.is_file() or (output.suffix.lower() == ".png" and not output.is_dir())):
        raise UserError(f"{output.name} is one file; give --output a folder for several pictures.")
    as_folder = as_folder or output.is_dir()
    if not as_folder and output.suffix.lower() != ".png":
        raise UserError(f"{output.name} would not keep the picture exactly; give --output a name that ends in .png.")
    try:
        (output if as_folder else output.parent).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder for {output.name} cannot be made ({error.strerror}); choose another place."
        ) from None
    stems = [path.stem for path in files]
    names = [path.stem if stems.count(path.stem) == 1 else path.name for path in files]  # a.jpg beside a.png
    return [(path, output / f"{name}.png" if as_folder else output) for path, name in zip(files, names, strict=True)]


def spared(pairs: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """The same pairs, unless one would be written over a picture that is read.

    Raises:
        UserError: it would.
    """
    sources = {path.resolve() for path, _ in pairs}
    for _, target in pairs:
        if target.resolve() in sources:
            raise UserError(f"{target.name} is the picture itself and would be lost; give --output another place.")
    return pairs


def _matched(a: Path, b: Path) -> list[tuple[Path, Path]]:
    if a.is_dir() != b.is_dir():
        raise UserError("Give two pictures, or two folders with the same file names.")
    if not a.is_dir():
        return [(pictures_in(a)[0], pictures_in(b)[0])]
    others = {path.stem: path for path in pictures_in(b)}
    pairs = [(path, others[path.stem]) for path in pictures_in(a) if path.stem in others]
    if not pairs:
        raise UserError("The two folders share no file name; name the pictures alike.")
    return pairs


def progress(name: str, step: Step) -> None:
    """Where a run is, on a terminal."""
    if sys.stderr.isatty() and step.steps:
        end = "\n" if step.result is not None else ""
        print(f"\r{name}: step {step.index}/{step.steps}", end=end, file=sys.stderr, flush=True)


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl+C once ends the run after its step and keeps what was reached; twice ends the program."""
    stopped = False

    def handler(*_: object) -> None:
        nonlocal stopped
        if stopped:
            raise KeyboardInterrupt
        stopped = True

    previous = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: stopped
    finally:
        signal.signal(signal.SIGINT, previous)
