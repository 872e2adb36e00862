"""A run over many pictures, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.optimise import Step
from impress_ui.pictures.images import to_images, to_tensor

BATCH = 8


def over_batches(
    images: Sequence[Image.Image],
    done: list[Image.Image],
    run: Callable[[Tensor, int], Iterator[Step]],
    device: str,
    batch: int = BATCH,
) -> Iterator[tuple[int, Step]]:
    """Run over the pictures, all of one size, that are not ``done`` yet, and add the results to ``done``.

    A batch that is stopped adds nothing, and nothing comes after it.

    Raises:
        UserError: a batch ended by a fault.

    Args:
        run: takes pictures (B, 3, H, W) in [-1, 1] and the number of the first of them.

    Yields:
        That number, and each step of the run.
    """
    while len(done) < len(images):
        first = len(done)
        for step in run(to_tensor(list(images[first : first + batch]), device), first):
            if step.fault:
                raise UserError(step.fault)
            if step.result is not None and not step.stopped:
                done += to_images(step.result)
            yield first, step
            if step.stopped:
                return
