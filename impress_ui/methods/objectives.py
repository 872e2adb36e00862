"""The differentiable terms, each with its paper's symbol. All take x (B, 3, H, W) in [-1, 1] and give (B,)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from impress_ui.methods.optimise import Terms
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.perceptual import PerceptualDistance

# A look at the consistency is a pass of the encoder and the decoder: at every tenth step a fourteenth of the time.
WATCH_EVERY = 10


def consistency(x: Tensor, autoencoder: Autoencoder) -> Tensor:
    """mean((V(x) - x)^2): the paper's reconstruction loss; the gradient flows through both arguments."""
    return ((autoencoder.reconstruct(x) - x) ** 2).mean(dim=(1, 2, 3))


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


# Its own name: in ImpressLoss's constructor ``consistency`` is a weight.
_pixel_consistency = consistency


class ImpressLoss:
    """IMPRESS's loss (arXiv 2310.19248) and two terms that it lacks.

    consistency * mean((V(x) - x)^2) + alpha * max(LPIPS(x, x_adv) - delta, 0)
        + fidelity * mean((x - x_adv)^2) + smoothness * TV(x); the paper's weights are 1, alpha, 0, 0.

    Another measure may stand for the consistency, and another distance from x_adv for LPIPS; both map x to (B,).
    A term of weight 0 is left out, but for the consistency: it is the measure of the method, so without a
    weight it is still watched, without gradient and at every tenth call only.

    The features of the fixed x_adv are computed here, once. While every image is within its similarity
    budget the hinge is exactly zero and so is its gradient: LPIPS's backward pass is then left out.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        perceptual: PerceptualDistance,
        x_adv: Tensor,
        *,
        alpha: float,
        delta: float,
        consistency: float = 1.0,
        fidelity: float = 0.0,
        smoothness: float = 0.0,
        consistency_term: Callable[[Tensor], Tensor] | None = None,
        similarity_term: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.perceptual, self.x_adv, self.delta = perceptual, x_adv, delta
        self._consistency = consistency_term or (lambda x: _pixel_consistency(x, autoencoder))
        self._similarity = similarity_term or self._lpips
        self.weights: Mapping[str, float] = {
            "consistency": consistency,
            "similarity": alpha,
            "fidelity": fidelity,
            "smoothness": smoothness,
        }
        self._watched: Tensor | None = None
        self._calls = 0
        if similarity_term is None:
            with torch.no_grad():
                self.reference = perceptual.features(x_adv)

    def __call__(self, x: Tensor) -> Terms:
        terms = {
            "consistency": lambda: self._consistency(x),
            "similarity": lambda: self._hinge(x),
            "fidelity": lambda: ((x - self.x_adv) ** 2).mean(dim=(1, 2, 3)),
            "smoothness": lambda: total_variation(x),
        }
        weighted = {name: term() for name, term in terms.items() if self.weights[name]}
        return weighted if self.weights["consistency"] else {"consistency": self._watch(x), **weighted}

    def _watch(self, x: Tensor) -> Tensor:
        if self._watched is None or self._calls % WATCH_EVERY == 0:
            with torch.no_grad():
                self._watched = self._consistency(x)
        self._calls += 1
        return self._watched

    def _hinge(self, x: Tensor) -> Tensor:
        return excess(self._similarity(x), self.delta)

    def _lpips(self, x: Tensor) -> Tensor:
        return self.perceptual.between(self.perceptual.features(x), self.reference)
