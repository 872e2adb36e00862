"""StyleGuard's term (Li et al., arXiv 2505.18766): the latent's statistics, which carry its style, are moved."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from impress_ui.methods.objectives import beside
from impress_ui.methods.optimise import Terms
from impress_ui.models.autoencoder import Autoencoder


def statistics(latent: Tensor) -> Tensor:
    """Mean and standard deviation of each channel, (B, 2 C), of latents (B, C, h, w)."""
    flat = latent.flatten(2)
    return torch.cat([flat.mean(dim=2), flat.std(dim=2, correction=0)], dim=1)


class LatentStatistics:
    """Distance of the scaled latent's channel statistics to a target's, less that to the original's: to be lowered.

    ||s(z) - s(z_target)||_2 - ||s(z) - s(z0)||_2 with s the means and standard deviations of the channels.

    Args:
        x0: the unprotected pictures (B, 3, H, W).
        target: unscaled latent (1 or B, C, h, w).
        weight: of the term beside others.
    """

    name = "style statistics"

    def __init__(self, autoencoder: Autoencoder, x0: Tensor, target: Tensor, *, weight: float, seed: int = 0) -> None:
        self.autoencoder = autoencoder
        self.weights: Mapping[str, float] = {self.name: weight}
        with torch.no_grad():
            # At the original itself a distance to it has no slope.
            self.origin = statistics(beside(autoencoder.to_scaled(autoencoder.encode(x0)), seed))
        self.goal = statistics(autoencoder.to_scaled(target))

    def __call__(self, x: Tensor) -> Terms:
        now = statistics(self.autoencoder.to_scaled(self.autoencoder.encode(x)))
        return {self.name: (now - self.goal).norm(dim=1) - (now - self.origin).norm(dim=1)}
