"""Seconds of a GPU, reckoned from the operations of a checkpoint at a size and the one measured pace.

    seconds = start + weights' way to the GPU + MARGIN * pace * operations + PER_STEP * steps

Operations are those of the passes that a job's steps make (``models.operations``), on the generous side: a call that
outlasts what it asked for is ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from impress_ui.jobs.explore import plan_of
from impress_ui.jobs.fetching import needs_whole
from impress_ui.measures.costs import attack_of, pixels_of
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.methods.purify import planned_steps
from impress_ui.methods.whole import pieces_of
from impress_ui.models.checkpoints import find_source
from impress_ui.models.operations import Operations, operations
from impress_ui.settings import EditSettings, JobSettings, PurifySettings
from impress_ui.settings.purify import parts_of
from impress_ui.ui.progress import generation, work_of

MARGIN = 1.5  # what is not counted: losses, LPIPS, small kernels, measuring
BACK = 3  # passes of a step with a gradient: forward, once more where memory is short, and back
PER_GIGABYTE = 2.0  # seconds for the weights' way from the disk to the GPU: an assumption
PER_STEP = 0.01  # seconds that a step takes however little it computes, for starting its kernels: an assumption
CHECK_STEPS = 10  # of IMPRESS, in what a protection is said to outlive
Size = tuple[int, int]


def reckoned(parts: tuple[str, ...], job: JobSettings, size: Size, pictures: int, pace: float, start: float) -> float:
    """Seconds of a GPU that a job takes.

    Args:
        parts: what it does, of ``zero_gpu.JOBS``.
        size: (width, height) of its pictures.
        pace: seconds for 10^12 operations.
        start: seconds for what every job does before its first step and after its last.

    Raises:
        UserError: the checkpoint is not to be had.
    """
    work = Work(job, size, pictures, needs_whole(job, parts), PER_STEP / (MARGIN * pace))
    way = PER_GIGABYTE * work.operations(pieces_of(size, job.run)[1]).gigabytes
    return start + way + MARGIN * pace * sum(getattr(work, part)() for part in parts)


@dataclass(frozen=True)
class Work:
    """The operations of what a job may do, in units of 10^12; a method for each of ``zero_gpu.JOBS``.

    Args:
        size: (width, height) of its pictures; what is done at the working size is reckoned there.
        whole: whether the job has the denoiser.
        idle: operations that could be done in the seconds that every step takes anyhow.
    """

    job: JobSettings
    size: Size
    pictures: int
    whole: bool
    idle: float = 0.0

    def operations(self, size: Size) -> Operations:
        """Of one forward pass over a picture of that size."""
        source = find_source(self.job.run.checkpoint)
        return operations(source, size, denoiser=self.whole and not source.autoencoder_only)

    def protect(self) -> float:
        settings, (pieces, piece) = self.job.protect, pieces_of(self.size, self.job.run)
        protection, own = PROTECTIONS[settings.method], self.operations(piece)
        both, passes = own.encode + own.decode, protection.passes(settings)
        copies = attack_of(settings, piece)[1] / (piece[0] * piece[1] * passes)
        if protection.autoencoder_only or protection.repaints:
            step = BACK * copies * (own.encode if protection.ball == "norm" else both)
        else:
            step = BACK * copies * (passes * own.denoise + both)
        if settings.adaptive != "none":
            step += BACK * both * (settings.unrolled_steps if settings.adaptive == "unrolled" else 1)
        if protection.in_turn:  # a surrogate learns between the steps, on the clean pictures and on the protected ones
            step += 2 * BACK * own.denoise * settings.surrogate_steps / settings.attack_steps
        paints = EditSettings().sampling_steps * 2 * own.denoise if protection.repaints else 0.0
        check = CHECK_STEPS * (BACK * both + self.idle) if self.job.run.check else 0.0
        return pieces * settings.steps * (step + self.idle) + paints + check

    def purify(self) -> float:
        pieces, piece = pieces_of(self.size, self.job.run)
        return pieces * self._purified(self.job.purify, piece)

    def edit(self) -> float:
        piece = pieces_of(self.size, self.job.run)[1]
        own = self.operations(piece)
        passes = work_of("edit", self.job, self.size, self.pictures).amount / (piece[0] * piece[1])
        return self.job.edit.steps_taken * (passes * own.denoise + self.idle) + self.pictures * (
            own.encode + own.decode
        )

    def generate(self) -> float:
        wanted = self.job.generate
        own = self.operations((wanted.width, wanted.height))
        passes = generation(self.job).amount / (wanted.width * wanted.height)
        return wanted.sampling_steps * (passes * own.denoise + self.idle) + wanted.count * own.decode

    def stress(self) -> float:
        piece = pieces_of(self.size, self.job.run)[1]
        purifiers = self.job.stress.settings_of(self.job.purify).values()
        work = sum(self._purified(each, piece) for each in purifiers) * (2 if self.job.stress.twins else 1)
        return work + (replace(self, pictures=len(purifiers) + 2).edit() if self.job.stress.edits else 0.0)

    def explore(self) -> float:
        cells = [cell for _, cell in plan_of(self.job)]
        attacks = {cell.protect: cell for cell in cells}.values()  # shared between cells of one protection
        return sum(replace(self, job=cell).protect() for cell in attacks) + sum(
            replace(self, job=cell).purify() for cell in cells
        )

    def style(self) -> float:
        """Three fine-tunings, each with its imitations, and the works protected and purified."""
        study, square = self.job.mimic, (self.job.run.size, self.job.run.size)
        own, at_once = self.operations(square), replace(self, size=square)
        learning = study.steps * (study.batch * BACK * own.denoise + self.idle)
        sampling = self.job.generate.sampling_steps * (2 * own.denoise + self.idle)
        imitations = study.imitations * (sampling + own.decode)
        return 3 * (learning + imitations) + study.works * (at_once.protect() + at_once.purify())

    def _purified(self, settings: PurifySettings, size: Size) -> float:
        own, total = self.operations(size), 0.0
        for part in parts_of(settings):
            purifier = PURIFIERS[part.method]
            if not planned_steps(part):
                continue  # a filter
            each = own.denoise if purifier.generative else BACK * (own.encode + own.decode)
            share = pixels_of(part, size) / (size[0] * size[1])
            total += share * (planned_steps(part) + purifier.overhead) * each + planned_steps(part) * self.idle
        return total
