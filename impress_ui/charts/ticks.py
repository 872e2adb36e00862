"""Round values for the axes of the charts that are drawn here."""

from __future__ import annotations

import math
from collections.abc import Sequence

TINY = 1e-12  # what is below it is drawn as zero


def round_ticks(values: Sequence[float]) -> list[float]:
    """About four round values from zero, or from just below the smallest, to just above the largest."""
    low, high = min(values), max(values)
    if 0 <= low < 0.5 * high:
        low = 0.0
    span = max(high - low, 1e-3 * abs(high)) if max(high, -low) > TINY else 0.1
    unit = 10.0 ** math.floor(math.log10(span / 3))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor * 3.5 >= span)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * number for number in range(first, max(last, first + 1) + 1)]
