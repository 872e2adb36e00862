"""The command line's fine-tuning: learn a style from an artist's works, then make pictures in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from impress_ui.art.artists import ARTISTS, Work, asked_captions, own_works, works
from impress_ui.cli.interruption import stop_on_interrupt
from impress_ui.cli.outputs import folder_for
from impress_ui.cli.report import Report
from impress_ui.cli.runs import follow, report_of
from impress_ui.errors import UserError
from impress_ui.jobs import workflow
from impress_ui.methods.mimic import PROGRESS, FineTuning, MimicStep, imitate
from impress_ui.methods.optimise import ShouldStop
from impress_ui.models.adapters import ADAPTER, DENOISER, load_imitator
from impress_ui.models.diffusion_model import load_diffusion_model
from impress_ui.pictures.images import save_png
from impress_ui.settings import JobSettings


def mimic_files(
    source: Path | None, output: Path, job: JobSettings, *, artist: str, prompts: Sequence[str], adapter: Path | None
) -> Report:
    """Fine-tune on the works (or load what was fine-tuned) and save an imitation for each caption.

    A fine-tuning that was stopped in the same folder is gone on with.

    Args:
        source: folder with the artist's pictures; None: those of one of our own artists.
        prompts: what to make; without any, the artist's test captions, or those of the works.
        adapter: folder of an earlier fine-tuning, to make pictures only.
    """
    began = time.monotonic()
    model = load_diffusion_model(job.run)
    side = min(job.run.size, model.size)
    left_out: dict[str, str] = {}
    learnt = _works(source, artist, side, job, left_out)
    captions = list(prompts) or _captions(source, artist, learnt, job)
    folder_for(output, "the fine-tuned model and the pictures")
    losses: list[float] = []
    with stop_on_interrupt() as should_stop:
        if adapter is not None:
            imitator, stopped = load_imitator(model, adapter), False
        else:
            tuning = FineTuning(model, learnt, job.mimic, seed=job.run.seed, caption=captions[0])
            stopped = _tune(tuning, output, losses, should_stop)
            imitator = tuning.model()
        made: list[Image.Image] = []
        wanted = job.generate.model_copy(update={"width": side, "height": side, "guidance": job.mimic.guidance})
        if not stopped:
            last = follow("imitate", imitate(imitator, captions, wanted, seed=job.run.seed, should_stop=should_stop))
            made, stopped = last.results or [], last.stopped
    # A stopped run has fewer pictures than captions.
    pairs = enumerate(zip(captions, made, strict=False))
    results = [_saved(output, number, caption, image, job) for number, (caption, image) in pairs]
    kept = adapter or output / (ADAPTER if job.mimic.tuning == "lora" else DENOISER)
    facts = {"artist": artist, "works": len(learnt), "adapter": str(kept), "losses": losses, "stopped": stopped}
    return report_of("mimic", job, began, **facts, results=results, left_out=left_out)


def _works(source: Path | None, artist: str, side: int, job: JobSettings, left_out: dict[str, str]) -> list[Work]:
    if source is not None:
        return own_works(source, artist, side=side, left_out=left_out)[: job.mimic.works]
    if artist not in ARTISTS:
        raise UserError(
            f"{artist} is none of the artists that come along ({', '.join(ARTISTS)}); give a folder of pictures too."
        )
    return works(artist, "train", side=side, seed=job.run.seed)[: job.mimic.works]


def _captions(source: Path | None, artist: str, learnt: Sequence[Work], job: JobSettings) -> list[str]:
    """The subjects of the test works; of one's own pictures their own captions, which suit their model better."""
    if source is None:
        return asked_captions(artist, job.mimic.imitations)
    return [learnt[number % len(learnt)].caption for number in range(job.mimic.imitations)]


def _tune(tuning: FineTuning, output: Path, losses: list[float], should_stop: ShouldStop) -> bool:
    """Fine-tune and save; whether it was stopped."""
    if (output / PROGRESS).is_file():
        tuning.resume(output)

    def noted() -> Iterator[MimicStep]:
        for step in tuning.run(should_stop=should_stop):
            losses.extend(step.loss_values().values())
            yield step

    try:
        last = follow("fine-tune", noted())
    finally:
        tuning.save(output)
    return last is not None and last.stopped


def _saved(output: Path, number: int, caption: str, image: Image.Image, job: JobSettings) -> Report:
    path = output / f"{number:03}.png"
    save_png(image, path, workflow.describe_result("imitation", job, caption=caption))
    return {"output": str(path), "caption": caption, "summary": f"{path}: {caption}"}
