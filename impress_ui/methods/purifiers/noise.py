"""Gaussian noise: it drowns the perturbation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor


class Fields(Settings):
    """Its settings."""

    noise_std: float = knob(
        0.05,
        "Deviation of the Gaussian noise control, in the [0, 1] pixel range.",
        label="Noise deviation",
        step=0.01,
        ge=0,
        le=0.5,
        place=6,
    )


def gaussian_noise(x: Tensor, std: float, seed: int) -> Tensor:
    """x plus Gaussian noise of the deviation (in the [0, 1] range), clipped (scikit-image's random_noise)."""
    from skimage.util import random_noise

    from impress_ui.methods.filters import through_arrays

    return through_arrays(x, lambda array: random_noise(array, mode="gaussian", var=std**2, clip=True, rng=seed))


NOISE = Purifier(
    "noise",
    "Gaussian noise",
    Fields,
    at_once(lambda x, s, tools: gaussian_noise(x, s.noise_std, tools.seed)),
    control=True,
)
