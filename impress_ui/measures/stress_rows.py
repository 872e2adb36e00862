"""A row of the stress test: what one purifier left of the protection, as shares, and what the picture lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image

from impress_ui.measures.metrics import lpips, ssim

PROTECTED, ORIGINAL = "protected", "original"
# Below it there is nothing to be divided by: the protection does not move this measure.
NOTHING = {"latent": 1e-3, "edit": 1e-3, "twin": 1e-3, "round_trip": 1e-5}


@dataclass(frozen=True)
class StressRow:
    """What one purifier left of the protection, and what it cost the picture.

    ``values`` holds the measures m above by name, None where they are not known; ``left`` the shares made of them.
    Against the protected picture and the original: LPIPS and SSIM. The original and the protected picture are rows too.
    """

    name: str
    image: Image.Image
    values: dict[str, float | None]
    left: dict[str, float | None]
    against_protected: dict[str, float]
    against_original: dict[str, float] | None = None
    edited: Image.Image | None = None
    seconds: float | None = None

    @property
    def protection_left(self) -> float | None:
        """The leading share."""
        return self.left["latent"] if self.against_original is not None else self.left["round_trip"]

    @property
    def picture_lost(self) -> float:
        """LPIPS to the original, or to the protected picture."""
        return (self.against_original or self.against_protected)["lpips"]

    def as_dict(self) -> dict[str, Any]:
        """The row without its pictures, as plain data."""
        return {
            "name": self.name,
            "protection_left": self.protection_left,
            "picture_lost": self.picture_lost,
            "left": self.left,
            "values": self.values,
            "against_protected": self.against_protected,
            "against_original": self.against_original,
            "seconds": self.seconds,
        }


class StressTable(Protocol):
    """What a chart of the rows reads of a stress test."""

    original: Image.Image | None

    @property
    def baseline(self) -> list[StressRow]:
        """The protected picture's row, and the original's where it is known."""

    @property
    def ranking(self) -> list[StressRow]:
        """The purifiers' rows in order."""

    @property
    def unbeaten(self) -> set[str]:
        """The purifiers that nothing betters."""


def share_left(value: float | None, protected: float | None, clean: float, nothing: float) -> float | None:
    """How much of the way from the clean value to the protected one is left; 1 at the protected one, never below 0.

    None where a value is not known, or where the protection moves the measure by less than ``nothing``.
    """
    if value is None or protected is None or protected - clean < nothing:
        return None
    return max(0.0, (value - clean) / (protected - clean))


def beats(other: StressRow, row: StressRow) -> bool:
    """Whether the other leaves no more of the protection and loses no more of the picture, and is not its equal."""
    assert other.protection_left is not None and row.protection_left is not None
    there, here = (other.protection_left, other.picture_lost), (row.protection_left, row.picture_lost)
    return there != here and there[0] <= here[0] and there[1] <= here[1]


def loss_of(image: Image.Image, reference: Image.Image) -> dict[str, float]:
    """LPIPS and SSIM of a picture against another one."""
    return {"lpips": lpips(image, reference), "ssim": float(ssim(np.asarray(image), np.asarray(reference)))}
