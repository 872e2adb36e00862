"""A step of a job over several items: the purifiers of a stress test, the cells of an exploration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ItemStep:
    """Where such a job is: item ``number`` of ``count``, at step ``index`` of its ``steps``.

    ``done`` says that an item was added; ``seconds_left`` is None until the pace is known.
    """

    phase: str
    number: int
    count: int
    index: int = 0
    steps: int = 0
    seconds_left: float | None = None
    done: bool = False
    stopped: bool = False
