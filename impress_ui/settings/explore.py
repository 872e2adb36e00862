"""The settings of an exploration: one or two settings varied over a picture, and the figure that is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from impress_ui.fields import Settings, knob
from impress_ui.settings.sweep import Axis, swept_names, values_between


@dataclass(frozen=True)
class Measure:
    """One figure of a cell: in words, in which format, and whether less of it is nearer to the original."""

    label: str
    form: str
    less_is_nearer: bool

    def __call__(self, value: float | None) -> str:
        return "–" if value is None else format(value, self.form).replace("%", " %")


# ``measures/grid.py`` has the formulas. Nearness to the original is what a purifier wants and, before it, costs least.
MEASURES: dict[str, Measure] = {
    "left": Measure("Protection left after purifying", ".0%", True),
    "strength": Measure("Protection’s strength, latent distance", ".3f", True),
    "cost": Measure("Protection’s cost, LPIPS", ".3f", True),
    "lpips": Measure("Purified to original, LPIPS", ".3f", True),
    "ssim": Measure("Purified to original, SSIM", ".3f", False),
    "psnr": Measure("Purified to original, PSNR in dB", ".1f", False),
    "round_trip": Measure("Round-trip error of the protected picture", ".4f", True),
}
NAMES = swept_names()
NOTHING = "nothing"
# A dropdown of the settings that a grid may vary; the second may be none.
Swept = Literal[NAMES]  # type: ignore[valid-type]
SweptOrNone = Literal[NOTHING, *NAMES]  # type: ignore[valid-type]
Figure = Literal[tuple(MEASURES)]  # type: ignore[valid-type]


class ExploreSettings(Settings):
    """What is varied, from where to where, in how many values; and what is shown of it."""

    picker: ClassVar = "y"  # without a second setting, its range does not count
    fields_of: ClassVar = {NOTHING: (), **dict.fromkeys(NAMES, ("y_from", "y_to", "y_count"))}

    x: Swept = knob("protect.budget", "Over equal steps, or equal ratios from a tenfold range on.", label="Vary")
    x_from: float = knob(4.0, "Its smallest value.", label="From")
    x_to: float = knob(32.0, "Its largest value.", label="To")
    x_count: int = knob(4, "How many values.", label="Values", ge=2, le=9)
    y: SweptOrNone = knob(NOTHING, "A second one, for a map; nothing for a curve.", label="And vary")
    y_from: float = knob(8.0, "Its smallest value.", label="From")
    y_to: float = knob(32.0, "Its largest value.", label="To")
    y_count: int = knob(3, "How many values.", label="Values", ge=2, le=9)
    measure: Figure = knob(
        "left",
        "What the map or the curve shows; all of them are measured, and this may be changed afterwards.",
        label="Show",
    )

    def axes(self) -> tuple[Axis, ...]:
        """The one or two axes.

        Raises:
            ValueError: a range outside the setting's own, or one setting named twice.
        """
        if self.x == self.y:
            raise ValueError("the two varied settings must differ")
        first = Axis(self.x, values_between(self.x, self.x_from, self.x_to, self.x_count))
        if self.y == NOTHING:
            return (first,)
        return first, Axis(self.y, values_between(self.y, self.y_from, self.y_to, self.y_count))
