"""Differentiable terms that several methods share. All take x (B, 3, H, W) in [-1, 1] and give (B,)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from impress_ui.methods.optimise import Terms
from impress_ui.models.autoencoder import Autoencoder


def total_variation(x: Tensor) -> Tensor:
    """Isotropic total variation per pixel and channel (Rudin, Osher and Fatemi 1992), smoothed at 1/255."""
    down = x[..., 1:, :-1] - x[..., :-1, :-1]
    right = x[..., :-1, 1:] - x[..., :-1, :-1]
    return (down**2 + right**2 + (1 / 255) ** 2).sqrt().mean(dim=(1, 2, 3))


def excess(distance: Tensor, budget: float) -> Tensor:
    """max(distance - budget, 0), (B,); without a graph where it is zero for all, since its gradient is zero too."""
    hinge = (distance - budget).clamp(min=0)
    # On a GPU asking "any?" would wait for the device at every step, which costs more than it saves.
    if hinge.device.type == "cpu" and not bool(hinge.any()):
        return hinge.detach()
    return hinge


class LatentDistance:
    """PhotoGuard's encoder objective: ||E(x) - z_target||_2 on the posterior mean, unscaled.

    Args:
        target: latent (1 or B, C, h, w), or zeros.
    """

    def __init__(self, autoencoder: Autoencoder, target: Tensor) -> None:
        self.autoencoder, self.target = autoencoder, target
        self.weights: Mapping[str, float] = {}

    def __call__(self, x: Tensor) -> Terms:
        return {"latent distance": (self.autoencoder.encode(x) - self.target).flatten(1).norm(dim=1)}
