"""An ablation's settings: which settings of a job are varied, and over which values."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from impress_ui.experiments.settings import Few
from impress_ui.fields import Settings, knob, sentence_of
from impress_ui.settings.sweep import Axis, Cell, cells_of, values_between


class Between(Settings):
    """Values of a setting from one to another, on the setting's own grid."""

    from_: float = Field(alias="from")
    to: float
    count: int = Field(5, ge=1, le=50)

    def of(self, name: str) -> tuple[Any, ...]:
        """The values of the setting of that dotted name."""
        return values_between(name, self.from_, self.to, self.count)


class AblationSettings(Few):
    """What single settings of protection and purification do: a grid, one after the other, or a list."""

    sections: ClassVar = ("protect", "purify")

    experiment: Literal["ablation"] = "ablation"
    vary: dict[str, tuple[Any, ...] | Between] = knob(
        {"protect.budget": (4, 8, 16, 32)},
        "Settings by dotted name, such as protect.budget or purify.alpha, each with a list of values or with "
        "{from, to, count}.",
    )
    design: Literal["grid", "one-at-a-time"] = knob(
        "grid", "Every combination of the values; or each setting alone, with the others as the sections have them."
    )
    cells: tuple[dict[str, Any], ...] = knob((), "Instead of a grid, a list of settings by dotted name.")

    @model_validator(mode="after")
    def _varied(self) -> Self:
        """Every cell is a valid job, and the grid is not empty."""
        try:
            grid = self.grid
            for cell in grid:
                self.job.at(cell)
        except PydanticCustomError:
            raise
        except ValueError as error:  # pydantic's own refusals are of this kind too, and name the setting
            raise _refusal(error) from None
        if not grid:
            raise PydanticCustomError("ablation", "an ablation varies at least one setting")
        return self

    @property
    def axes(self) -> list[Axis]:
        """What ``vary`` says, range by range; without the ``cells``."""
        return [
            Axis(name, given.of(name) if isinstance(given, Between) else given) for name, given in self.vary.items()
        ]

    @property
    def grid(self) -> list[Cell]:
        """The settings by dotted name of every row."""
        if self.cells:
            return [dict(cell) for cell in self.cells]
        if self.design == "grid":
            return cells_of(self.axes) if self.vary else []
        return [{axis.name: value} for axis in self.axes for value in axis.values]


def _refusal(error: ValueError) -> PydanticCustomError:
    told = sentence_of(error) if isinstance(error, ValidationError) else str(error)
    return PydanticCustomError("ablation", "{why}", {"why": told.rstrip(".")})
