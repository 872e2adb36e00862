"""Grids over settings: what one cell's protection is worth before and after its purification, in figures.

The page's Explore section and the ablation measure a cell alike:

    strength    ||E(x_adv) - E(x)|| / ||E(x)||                  what the protection does to the latent
    left        ||E(x_pur) - E(x)|| / ||E(x_adv) - E(x)||       the share of it that the purification leaves
    cost        LPIPS(x_adv, x)                                 what the protection costs the picture
    lpips, ssim, psnr of x_pur against x                        what protection and purification together cost it
    round_trip  mean((V(x_adv) - x_adv)^2)                      what gives the protection away

Their words are in ``settings.explore.MEASURES``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor

from impress_ui.core.images import to_tensor
from impress_ui.core.metrics import lpips, measure, round_trip_error
from impress_ui.core.models import Autoencoder
from impress_ui.core.stress_rows import NOTHING, share_left

Figures = dict[str, float | None]


def figures_of(
    original: Image.Image, protected: Image.Image, purified: Image.Image, autoencoder: Autoencoder
) -> Figures:
    """The figures above of three RGB pictures of one size; ``left`` is None where the protection moved nothing."""
    distance = distances_to(original, autoencoder)
    strength = distance(protected)
    result = measure(purified, original)
    x = to_tensor(protected, autoencoder.device)
    return {
        "left": share_left(distance(purified), strength, 0.0, NOTHING["latent"]),
        "strength": strength,
        "cost": lpips(protected, original),
        "lpips": result.lpips,
        "ssim": result.ssim,
        "psnr": result.psnr,
        "round_trip": round_trip_error(x, autoencoder).item(),
    }


def distances_to(original: Image.Image, autoencoder: Autoencoder) -> Callable[[Image.Image], float]:
    """||E(x) - E(original)|| / ||E(original)|| as a function of the picture x."""

    @torch.no_grad()
    def encoded(image: Image.Image) -> Tensor:
        return autoencoder.encode(to_tensor(image, autoencoder.device))

    reference = encoded(original)
    return lambda image: ((encoded(image) - reference).norm() / reference.norm()).item()
