"""How far IMPRESS may go from a picture: the same distance for each, or one by what the learned purifier finds in it.

The radius has to be as large as the protection's budget and no larger: below it a part of the protection stays, above
it the decoder's own smoothness is let in, which in a clean picture is all that happens. The budget is not known, but
the learned purifier's prediction of what was added (as high-level guided denoising has it, arXiv 1712.02976) tells it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from impress_ui.methods.optimise import Constraint, linf_ball, pixel_range
from impress_ui.models.residual_unet import learned_purifier
from impress_ui.paths import PURIFIER
from impress_ui.pictures.images import LEVELS_PER_UNIT
from impress_ui.settings import PurifySettings

NOTHING_FOUND = "No protection was found, so nothing is changed here."
# All from validation photographs under PhotoGuard's encoder attack: the budget by the median of what is found; the
# least median that counts, for the network takes fine texture for a protection too (of 64 to 256 pixels, at budget 4
# it is 1.75 and more, at budget 2 up to 1.4, without a protection up to 1.0, in pictures unlike these up to 1.9); and
# the radius that leaves least, in budgets.
BUDGET_PER_FOUND = 1.65
LEAST_FOUND = 1.7
ROOM = 1.2


@torch.no_grad()
def found(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """The median size, (B,) in grey levels, of what the learned purifier takes off pictures x (B, 3, H, W) in [-1, 1].

    The median over the pixels: texture, which the network takes for a protection too, is found in fewer pixels than
    half, where the mean and high quantiles hear it.

    Args:
        mask: (1 or B, 1, H, W), 1 where it is looked at; a picture without such pixels has nothing.

    Raises:
        UserError: the weights are not there.
    """
    size = LEVELS_PER_UNIT * learned_purifier(PURIFIER, str(x.device))(x).abs()
    within = torch.ones_like(size, dtype=torch.bool) if mask is None else mask.bool().expand_as(size)
    return torch.stack(
        [each[seen].median() if seen.any() else each.new_zeros(()) for each, seen in zip(size, within, strict=True)]
    )


def budget_found(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """The budget, (B,) in grey levels, that is ``found`` in pictures; 0 where it is too little to count."""
    median = found(x, mask)
    return torch.where(median > LEAST_FOUND, BUDGET_PER_FOUND * median, 0.0)


def trust_region(x_adv: Tensor, settings: PurifySettings, mask: Tensor | None) -> Constraint | None:
    """What the result of purifying pictures x_adv (B, 3, H, W) in [-1, 1] is projected on; None: nothing was found.

    A ball about each picture of the settings' radius, or of ``ROOM`` times the budget that is found in it. That may be
    0 in some pictures of a batch, which are then left as they are, and in all of them, where there is nothing to do.

    Args:
        mask: (1 or B, 1, H, W), 1 where pixels may change: what is found elsewhere counts for nothing.
    """
    most = settings.trust_radius / LEVELS_PER_UNIT
    if not settings.radius_from_found:
        return linf_ball(x_adv, most) if most else pixel_range
    radius = ROOM * budget_found(x_adv, mask) / LEVELS_PER_UNIT
    if not radius.any():
        return None
    return linf_ball(x_adv, (radius.clamp(max=most) if most else radius).view(-1, 1, 1, 1))
