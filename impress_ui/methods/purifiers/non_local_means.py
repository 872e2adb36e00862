"""Non-local means: averages over patches that look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.methods.purifiers.purifier import Purifier, StrengthFields, at_once

if TYPE_CHECKING:
    from numpy import ndarray
    from torch import Tensor


def non_local_means(x: Tensor, cut_off: float) -> Tensor:
    """Buades, Coll and Morel's (2005) non-local means."""
    from skimage.restoration import denoise_nl_means

    from impress_ui.methods.filters import through_arrays

    def denoise(array: ndarray) -> ndarray:
        return denoise_nl_means(
            array, h=cut_off, sigma=cut_off, patch_size=5, patch_distance=6, fast_mode=True, channel_axis=-1
        )

    return through_arrays(x, denoise)


NON_LOCAL_MEANS = Purifier(
    "non-local-means",
    "Non-local means",
    StrengthFields,
    at_once(lambda x, s, _: non_local_means(x, s.denoise_weight)),
    control=True,
)
