"""Total variation denoising."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.purifiers.purifier import Purifier, StrengthFields, at_once

if TYPE_CHECKING:
    from torch import Tensor


def total_variation(x: Tensor, weight: float) -> Tensor:
    """Chambolle's (2004) total variation denoising."""
    from skimage.restoration import denoise_tv_chambolle

    from impress_ui.methods.filters import through_arrays

    return through_arrays(x, lambda array: denoise_tv_chambolle(array, weight=weight, channel_axis=-1))


TOTAL_VARIATION = Purifier(
    "total-variation",
    "Total variation",
    StrengthFields,
    at_once(lambda x, s, _: total_variation(x, s.denoise_weight)),
    control=True,
)
