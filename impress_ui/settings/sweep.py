"""What a grid varies: settings of the protection and the purification by dotted name, over values that they allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotated_types import MultipleOf

from impress_ui.fields import Settings
from impress_ui.settings.protect import ProtectSettings
from impress_ui.settings.purify import PurifySettings

VARIED: dict[str, type[Settings]] = {"protect": ProtectSettings, "purify": PurifySettings}
# From this ratio of the largest to the smallest value on, equal steps would leave all small values out.
WIDE = 10.0

Cell = dict[str, Any]  # values by dotted name


@dataclass(frozen=True)
class Axis:
    """One varied setting, such as ``protect.budget``, and its values in order."""

    name: str
    values: tuple[Any, ...]

    @property
    def label(self) -> str:
        return label_of(self.name)


def swept_names() -> tuple[str, ...]:
    """Every setting that is a number with a range, by dotted name."""
    return tuple(
        f"{section}.{field}"
        for section, model in VARIED.items()
        for field, about in model.model_fields.items()
        if about.annotation in (int, float) and None not in limits_of(f"{section}.{field}")
    )


def model_of(name: str) -> tuple[type[Settings], str]:
    """(the section's model, the field) of a dotted name.

    Raises:
        ValueError: there is no such setting.
    """
    section, _, field = name.partition(".")
    if section not in VARIED or field not in VARIED[section].model_fields:
        raise ValueError(f"there is no setting {name}; settings are named such as protect.budget or purify.alpha")
    return VARIED[section], field


def limits_of(name: str) -> tuple[float, float]:
    """(least, greatest) value of a setting."""
    model, field = model_of(name)
    about = model.describe(field)
    return about["minimum"], about["maximum"]


def label_of(name: str) -> str:
    """A setting's label and symbol for people."""
    model, field = model_of(name)
    about = model.describe(field)
    return f"{about['label']} {about['symbol']}".strip()


def default_range(name: str) -> tuple[float, float]:
    """(from, to) to begin with: a quarter of the default to twice the default, or the whole range about a zero."""
    model, field = model_of(name)
    default, (low, high) = model.describe(field)["default"], limits_of(name)
    if default <= 0:
        return low, high
    return max(low, _rounded(name, default / 4)), min(high, _rounded(name, default * 2))


def values_between(name: str, low: float, high: float, count: int) -> tuple[Any, ...]:
    """``count`` values of a setting from low to high, both included, on its own grid; fewer where that is coarse.

    They are equally spaced, or by equal ratios where high is at least ``WIDE`` times a positive low.

    Raises:
        ValueError: the range is empty, or leaves the setting's own.
    """
    least, greatest = limits_of(name)
    if not least <= low <= greatest or not least <= high <= greatest:
        raise ValueError(f"{label_of(name)} goes from {least:g} to {greatest:g}, not from {low:g} to {high:g}")
    if low > high:
        raise ValueError(f"{label_of(name)} cannot go from {low:g} to {high:g}: the first must be the smaller one")
    shares = [number / (count - 1) for number in range(count)] if count > 1 else [0.0]
    if is_wide(low, high):
        values = [math.exp(math.log(low) + (math.log(high) - math.log(low)) * share) for share in shares]
    else:
        values = [low + (high - low) * share for share in shares]
    return tuple(dict.fromkeys(_on_grid(name, value, low, high) for value in values))


def is_wide(low: float, high: float) -> bool:
    """Whether values from low to high are spaced, and drawn, by ratios."""
    return low > 0 and high / low >= WIDE


def cells_of(axes: Sequence[Axis]) -> list[Cell]:
    """Every combination, the first axis outermost."""
    return [
        dict(zip((axis.name for axis in axes), values, strict=True))
        for values in itertools.product(*(axis.values for axis in axes))
    ]


def _on_grid(name: str, value: float, low: float, high: float) -> Any:
    """A value from low to high where the setting may stand; the two ends as given, unless they must be whole."""
    if isinstance(whole := _rounded(name, value), int):
        least, greatest = limits_of(name)
        return int(min(greatest, max(least, whole)))
    return float(next((end for end in (low, high) if math.isclose(value, end)), min(high, max(low, whole))))


def _rounded(name: str, value: float) -> Any:
    """A value on the setting's grid: whole numbers to their unit, others to the setting's step, or to three digits."""
    model, field = model_of(name)
    about = model.model_fields[field]
    if about.annotation is int:
        unit = next((limit.multiple_of for limit in about.metadata if isinstance(limit, MultipleOf)), 1)
        return round(value / unit) * unit
    step = model.describe(field)["step"]
    if step and value >= step:
        return round(round(value / step) * step, 10)
    return float(f"{value:.3g}")
