"""Pictures larger than what a model sees at once, at their own size: by pieces, or by what changes in a reduced one.

``tiles`` runs a method on overlapping pieces and mixes their changes with raised-cosine weights. A mixture of changes
that each keep a budget keeps it too. ``enlarged`` runs it on the reduced picture and enlarges the change, by linear
interpolation, which is a mixture as well.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from impress_ui.methods.optimise import ShouldStop, Step, never
from impress_ui.methods.views import reduced
from impress_ui.pictures.images import quantise, working_size
from impress_ui.settings import RunSettings

OVERLAP = 0.25  # of a tile's side
REDRAWN = 1.0  # seconds between two reduced pictures of what is done, each of which costs a pass over all pixels
Size = tuple[int, int]
# Cuts what is as large as the picture, such as its mask, to the piece that is worked on.
Cut = Callable[[Tensor], Tensor]
# Steps of a method on a piece (1, 3, h, w).
Attempt = Callable[[Tensor, Cut], Iterator[Step]]
# Puts what was put together, (1, 3, H, W), into 8 bits and its bounds.
Keep = Callable[[Tensor], Tensor]


class Store(Protocol):
    """Keeps what was made of a piece, until the whole is done."""

    def get(self, number: int) -> Tensor | None: ...

    def put(self, number: int, made: Tensor) -> None: ...

    def clear(self) -> None: ...


@dataclass(frozen=True)
class Tile:
    """Where a piece lies, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def of(self, x: Tensor) -> Tensor:
        """The piece of x (..., H, W), as a view."""
        return x[..., self.top : self.top + self.height, self.left : self.left + self.width]


def tiles_of(size: Size, side: int) -> list[Tile]:
    """Tiles of one size, evenly spread, that cover (width, height) and overlap by a quarter of a side at least."""
    width, height = (min(side, length) for length in size)
    return [Tile(top, left, height, width) for top in _starts(size[1], height) for left in _starts(size[0], width)]


def pieces_of(size: Size, run: RunSettings) -> tuple[int, Size]:
    """How many pieces a picture of (width, height) is worked on in, and a piece's (width, height)."""
    if run.whole != "tiles":
        return 1, working_size(size, run.size)
    tiles = tiles_of(size, run.size)
    return len(tiles), (tiles[0].width, tiles[0].height)


def exceeds(size: Size, run: RunSettings) -> bool:
    """Whether a picture of (width, height) is larger than what is worked on at once."""
    return run.whole != "no" and max(size) > run.size


def over_tiles(
    x: Tensor, attempt: Attempt, side: int, keep: Keep, *,
    each: int, mask: Tensor | None = None, store: Store | None = None, should_stop: ShouldStop = never,
) -> Iterator[Step]:  # fmt: skip
    """A method's steps on one tile after the other; each works on a piece as if that were a picture of its own.

    Args:
        x: one picture (1, 3, H, W) in [-1, 1].
        side: of a tile, in pixels.
        each: the steps that a tile takes.
        mask: (1, 1, H, W), 1 where pixels may change; tiles without such are left out.
        store: what was made of tiles before is taken from it.

    Yields:
        ``Step`` counted over all tiles, with losses at the end of each tile only. ``picture`` is the whole one,
        reduced. When it is stopped, tiles that are not done leave the picture as it was.
    """
    each = max(each, 1)
    every = tiles_of((x.shape[-1], x.shape[-2]), side)
    weights, change = _Weights(x, every), torch.zeros_like(x)
    tiles = [tile for tile in every if mask is None or bool(tile.of(mask).any())]
    faults: list[str] = []
    notes: list[str] = []
    step = Step(0, each * len(tiles), {}, reduced(x, side), points=len(tiles))
    drawn = time.monotonic()
    for number, tile in enumerate(tiles):
        piece = tile.of(x)
        made, known = store.get(number) if store else None, True
        ended = Step(each, each, {}, piece)
        if made is None:
            known = False
            for ended in attempt(piece, tile.of):
                if ended.result is None:
                    yield replace(step, index=number * each + ended.index)
            made = None if ended.stopped else ended.result  # half a tile would be a seam
            faults += [ended.fault] if ended.fault else []
            notes += [ended.note] if ended.note else []
        if made is not None:
            tile.of(change).add_(weights.of(tile) * (made.to(x) - piece))
            if store and not known:
                store.put(number, made)
        last = number + 1 == len(tiles)
        stopped = (ended.stopped and not ended.fault) or (not last and should_stop())
        if time.monotonic() - drawn > REDRAWN:
            step, drawn = replace(step, picture=reduced(x + change, side)), time.monotonic()
        index = number * each + (ended.index if ended.stopped else each)
        if not (stopped or last):
            if not known:  # what was there already is no pace
                yield replace(step, index=index, losses=ended.losses)
            continue
        fault = f"{len(faults)} of {len(tiles)} tiles were left as they were. {faults[0]}" if faults else ""
        if store and not (stopped or faults):
            store.clear()
        note = f"In {len(notes)} of {len(tiles)} tiles: {notes[0]}" if notes else ""
        result = keep(change.add_(x))
        yield replace(
            step,
            index=index,
            losses=ended.losses,
            result=result,
            stopped=stopped or bool(faults),
            fault=fault,
            note=note,
        )
        return


def enlarged(x: Tensor, attempt: Attempt, side: int, keep: Keep) -> Iterator[Step]:
    """A method's steps on the reduced picture; the result is x (1, 3, H, W) with what changed there, enlarged."""
    small = quantise(reduced(x, side))
    for step in attempt(small, lambda y: reduced(y, side)):
        if step.result is None:
            yield step
            continue
        change = functional.interpolate(step.result - small, size=x.shape[-2:], mode="bilinear")
        yield replace(step, result=keep(x + change))


class _Weights:
    """Raised-cosine weights of tiles on a grid, which add up to 1 in each pixel."""

    def __init__(self, x: Tensor, tiles: list[Tile]) -> None:
        self.rows = _shares({tile.top for tile in tiles}, tiles[0].height, x.shape[-2], x.device)
        self.columns = _shares({tile.left for tile in tiles}, tiles[0].width, x.shape[-1], x.device)

    def of(self, tile: Tile) -> Tensor:
        return self.rows[tile.top][:, None] * self.columns[tile.left][None, :]


def _shares(starts: set[int], side: int, length: int, device: torch.device) -> dict[int, Tensor]:
    """By start the (side,) weights along one direction."""
    bump = torch.sin(torch.pi * (torch.arange(side, device=device) + 0.5) / side) ** 2
    total = torch.zeros(length, device=device)
    for start in starts:
        total[start : start + side] += bump
    return {start: bump / total[start : start + side] for start in starts}


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    overlap = round(side * OVERLAP)
    count = math.ceil((length - overlap) / (side - overlap))
    return [round(number * (length - side) / (count - 1)) for number in range(count)]
