"""Where the eye forgives: a budget that is the smaller, the smoother the picture is there.

Texture hides a change and a clear sky shows it (contrast masking; Legge and Foley, J. Opt. Soc. Am. 70, 1980). The ball
about each pixel is as wide as the contrast of its surroundings allows.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from impress_ui.pictures.images import LEVELS_PER_UNIT

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
WINDOW = 7 / 256  # of the longer side, so that a picture and its reduced copy agree; seven pixels at least
# Standard deviation of the luma, in [-1, 1] units, from which on a pixel has the whole budget. Of 0.15, 0.2, 0.25 and
# 0.3 on validation photographs the strength after a JPEG for one LPIPS differed little.
TEXTURED = 0.2


def radius_of(x: Tensor, budget: int, share: float) -> Tensor:
    """The widths (B, 1, H, W) of the ball about pictures x (B, 3, H, W), both in [-1, 1] units, in whole grey levels.

    Args:
        budget: in grey levels, which textured areas have whole.
        share: of the budget that is left where there is no contrast at all, 0 to 1.
    """
    contrast = (local_deviation(x) / TEXTURED).clamp(max=1)
    # A hair more before rounding down, so that the whole budget stays whole.
    levels = (budget * (share + (1 - share) * contrast) + 1e-4).floor()
    return levels / LEVELS_PER_UNIT


def local_deviation(x: Tensor) -> Tensor:
    """The standard deviation (B, 1, H, W) of the luma of x (B, 3, H, W) in a square about each pixel."""
    luma = (x * torch.tensor(LUMA, device=x.device, dtype=x.dtype).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    reach = max(3, round((max(x.shape[-2:]) * WINDOW - 1) / 2))
    mean, square = _mean(luma, reach), _mean(luma**2, reach)
    return (square - mean**2).clamp(min=0).sqrt()


def _mean(values: Tensor, reach: int) -> Tensor:
    """Means in squares of 2 * reach + 1 pixels; beyond the borders the picture is continued by its last pixels."""
    padded = functional.pad(values, [reach] * 4, mode="replicate")
    rows = functional.avg_pool2d(padded, (2 * reach + 1, 1), stride=1)  # one direction after the other is cheaper
    return functional.avg_pool2d(rows, (1, 2 * reach + 1), stride=1)
