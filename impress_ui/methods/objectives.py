"""Differentiable terms that several methods share. All take x (B, 3, H, W) in [-1, 1] and give (B,)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from impress_ui.methods.optimise import Terms
from impress_ui.models.autoencoder import Autoencoder

BESIDE = 1e-3


def total_variation(x: Tensor) -> Tensor:
    """Isotropic total variation per pixel and channel (Rudin, Osher and Fatemi 1992), smoothed at 1/255."""
    down = x[..., 1:, :-1] - x[..., :-1, :-1]
    right = x[..., :-1, 1:] - x[..., :-1, :-1]
    return (down**2 + right**2 + (1 / 255) ** 2).sqrt().mean(dim=(1, 2, 3))


def squared(x: Tensor, y: Tensor) -> Tensor:
    """mean((x - y)^2), (B,), of pictures or latents (B, C, H, W)."""
    return ((x - y) ** 2).mean(dim=(1, 2, 3))


def excess(distance: Tensor, budget: float) -> Tensor:
    """max(distance - budget, 0), (B,); without a graph where it is zero for all, since its gradient is zero too."""
    hinge = (distance - budget).clamp(min=0)
    # On a GPU asking "any?" would wait for the device at every step, which costs more than it saves.
    if hinge.device.type == "cpu" and not bool(hinge.any()):
        return hinge.detach()
    return hinge


def beside(latent: Tensor, seed: int) -> Tensor:
    """A point beside each latent (B, C, h, w), ``BESIDE`` of its length away, for a distance that has a slope at it.

    The direction is drawn by the seed; all pictures of a batch get the same.
    """
    drawn = torch.randn(latent.shape[1:], generator=torch.Generator().manual_seed(seed)).to(latent)
    lengths = latent.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return latent + BESIDE * lengths * drawn / drawn.norm()


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


class LatentShift:
    """EditShield's objective: ||E(x) - E(x0)||_2 on the posterior mean, unscaled, to be raised.

    At x0 itself that has no slope, and a run that starts there would never leave: it is measured from ``beside`` E(x0).

    Args:
        x0: the unprotected pictures (B, 3, H, W), of the batch's length as those that are judged, or a single one.
    """

    def __init__(self, autoencoder: Autoencoder, x0: Tensor, *, seed: int = 0) -> None:
        self.autoencoder = autoencoder
        self.weights: Mapping[str, float] = {"latent shift": -1.0}
        with torch.no_grad():
            latent = autoencoder.encode(x0)
        self.origin = beside(latent, seed)

    def __call__(self, x: Tensor) -> Terms:
        return {"latent shift": (self.autoencoder.encode(x) - self.origin).flatten(1).norm(dim=1)}
