"""Timing in turn: one unit of every case a round, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch
from torch import Tensor

Unit = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """Something to be timed. ``unit`` does ``steps`` steps of it; the first call is not counted."""

    unit: Unit
    steps: int = 1


@dataclass
class Times:
    """Seconds a step: by the clock, and of processor time over all threads of the process."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @contextmanager
    def lap(self, device: str, steps: int = 1) -> Iterator[None]:
        """Time a block of so many steps, until the device is done with them."""
        wait_for(device)
        wall, processor = time.perf_counter(), time.process_time()
        yield
        wait_for(device)
        self.wall.append((time.perf_counter() - wall) / steps)
        self.processor.append((time.process_time() - processor) / steps)

    def as_dict(self) -> dict[str, Any]:
        return {
            "seconds": median(self.wall),
            "fastest": min(self.wall),
            "processor_seconds": median(self.processor),
            "repeats": len(self.wall),
        }


def time_in_turn(cases: Mapping[str, Case], repeats: int, device: str) -> dict[str, Times]:
    """Run every case once to warm up, then ``repeats`` rounds of one unit each."""
    times = {name: Times() for name in cases}
    for case in cases.values():
        case.unit()
    for _ in range(repeats):
        for name, case in cases.items():
            with times[name].lap(device, case.steps):
                case.unit()
    return times


def ratio(over: Times, under: Times) -> dict[str, float]:
    """The median over the rounds of one case's time over another's, by the clock and by processor time."""
    return {
        "wall": median(a / b for a, b in zip(over.wall, under.wall, strict=True)),
        "processor": median(a / b for a, b in zip(over.processor, under.processor, strict=True)),
    }


def wait_for(device: str) -> None:
    """Until the device has done all that was asked of it."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def stepping(steps: Iterator[Any], count: int = 1) -> Case:
    """A case whose unit takes ``count`` steps of a run that is already under way."""
    next(steps)

    def unit() -> None:
        for _ in range(count):
            next(steps)

    return Case(unit, count)


def passing(*passes: tuple[Callable[[Tensor], Tensor], Tensor]) -> Case:
    """A floor: a bare forward and backward pass of each function at its input, and nothing around them."""

    def unit() -> None:
        for function, at in passes:
            x = at.detach().requires_grad_()
            torch.autograd.grad(function(x).sum(), x)

    return Case(unit)
