"""AdverseCleaner (github.com/lllyasviel/AdverseCleaner): many gentle bilateral passes, then guided filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impress_ui.fields import Settings, knob
from impress_ui.methods.purifiers.purifier import Purifier, at_once

if TYPE_CHECKING:
    from torch import Tensor

RADIUS = 2  # pixels: OpenCV's diameter 5, and a pixel beyond the radius does not count
GUIDES, GUIDE_RADIUS, GUIDE_EPS = 4, 4, 16.0  # guided filters; the last in squared grey levels


class Fields(Settings):
    """Its settings."""

    cleaner_passes: int = knob(
        64, "Bilateral passes before the guided filters; 64 as published.", label="Cleaner passes", step=1, ge=1, le=256
    )
    cleaner_deviation: float = knob(
        8.0,
        "Deviation of each pass, in grey levels summed over the channels, and in pixels; 8 as published.",
        label="Cleaner deviation",
        step=0.5,
        ge=0.5,
        le=64,
    )


def adverse_cleaner(x: Tensor, passes: int, deviation: float) -> Tensor:
    """x (B, 3, H, W) in [-1, 1] after the published chain, which works in grey levels."""
    given = (x + 1) * 127.5
    smooth = given
    for _ in range(passes):
        smooth = bilateral_pass(smooth, deviation)
    for _ in range(GUIDES):
        smooth = guided(smooth, given)
    return (smooth / 127.5 - 1).clamp(-1, 1)


def bilateral_pass(x: Tensor, deviation: float) -> Tensor:
    """OpenCV's bilateral filter of diameter 5 on colour pictures (B, 3, H, W) in grey levels.

    A neighbour weighs by its distance, and by the sum over the channels of how far its colour is, both Gaussian.
    """
    import torch

    height, width = x.shape[-2:]
    framed = _framed(x, RADIUS)
    total, weights = torch.zeros_like(x), torch.zeros_like(x[:, :1])
    for down in range(-RADIUS, RADIUS + 1):
        for right in range(-RADIUS, RADIUS + 1):
            if down**2 + right**2 > RADIUS**2:
                continue
            other = framed[..., RADIUS + down : RADIUS + down + height, RADIUS + right : RADIUS + right + width]
            far = (other - x).abs().sum(dim=1, keepdim=True) ** 2 + down**2 + right**2
            weight = torch.exp(-far / (2 * deviation**2))
            total, weights = total + weight * other, weights + weight
    return total / weights


def guided(x: Tensor, guide: Tensor) -> Tensor:
    """He, Sun and Tang's guided filter (2010) of x by a colour guide, both (B, 3, H, W) in grey levels."""
    import torch
    from torch.nn.functional import avg_pool2d

    def mean(values: Tensor) -> Tensor:
        return avg_pool2d(_framed(values, GUIDE_RADIUS), 2 * GUIDE_RADIUS + 1, stride=1)

    def products(a: Tensor, b: Tensor) -> Tensor:
        return (a[:, :, None] * b[:, None]).flatten(1, 2)

    middle, aim = mean(guide), mean(x)
    spread = (mean(products(guide, guide)) - products(middle, middle)).unflatten(1, (3, 3)).permute(0, 3, 4, 1, 2)
    shared = (mean(products(guide, x)) - products(middle, aim)).unflatten(1, (3, 3)).permute(0, 3, 4, 1, 2)
    slope = torch.linalg.solve(spread + GUIDE_EPS * torch.eye(3, device=x.device), shared).permute(0, 3, 4, 1, 2)
    offset = aim - (slope * middle[:, :, None]).sum(dim=1)
    smooth = mean(slope.flatten(1, 2)).unflatten(1, (3, 3))
    return (smooth * guide[:, :, None]).sum(dim=1) + mean(offset)


def _framed(x: Tensor, width: int) -> Tensor:
    """x with a frame: mirrored, or of the border's own pixels where the picture is too small for that."""
    from torch.nn.functional import pad

    return pad(x, (width,) * 4, mode="reflect" if min(x.shape[-2:]) > width else "replicate")


ADVERSE_CLEANER = Purifier(
    "adverse-cleaner",
    "AdverseCleaner",
    Fields,
    at_once(lambda x, s, _: adverse_cleaner(x, s.cleaner_passes, s.cleaner_deviation)),
)
