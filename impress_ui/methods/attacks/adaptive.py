"""Protections made against IMPRESS (Cao et al., arXiv 2310.19248, section 5.4), and two that the paper leaves open.

consistency: + beta * mean((V(x) - x)^2), the paper's.
loss:        + beta * IMPRESS's whole loss at its published weights, similar to the original: what the purifier would
             lower is low already.
unrolled:    the objective is asked of the purified picture P(x), a few of IMPRESS's steps after x.

The gradient of the last is the objective's at P(x), taken back to x by the autoencoder's V alone (backward pass
differentiable approximation, Athalye et al., arXiv 1802.00420): what P keeps of a perturbation is what V lets through.
Passed straight through, as if P were the identity, it was the weaker attack on the embedded checkpoint. The exact
derivative would need second derivatives of the autoencoder through Adam's division, at twice the time of the steps and
all their graphs in memory; and our recipe's JPEG and denoiser have none. The price is that of the steps, each a forward
and a backward pass of the decoder, and one more of V.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from impress_ui.methods.attacks.setup import Setup, Sum
from impress_ui.methods.impress import ImpressLoss, consistency
from impress_ui.methods.optimise import Objective, Terms, run_to_end, sum_terms
from impress_ui.methods.purify import purify
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.perceptual import load_perceptual
from impress_ui.settings import PurifySettings

PUBLISHED = PurifySettings(recipe="paper")


def adaptive(objective: Objective, setup: Setup) -> Objective:
    """The objective as the settings want it: alone, with a term against IMPRESS, or asked of the purified picture."""
    settings, autoencoder = setup.settings, setup.autoencoder
    match settings.adaptive:
        case "consistency":
            return Sum([objective, Consistency(autoencoder, settings.beta)])
        case "loss":
            return Sum([objective, WholeLoss(setup.x, autoencoder, settings.beta)])
        case "unrolled":
            return Purified(objective, autoencoder, settings.unrolled_steps, setup.seed)
    return objective


class Consistency:
    """beta * mean((V(x) - x)^2)."""

    def __init__(self, autoencoder: Autoencoder, beta: float) -> None:
        self.autoencoder = autoencoder
        self.weights: Mapping[str, float] = {"round-trip error": beta}

    def __call__(self, x: Tensor) -> Terms:
        return {"round-trip error": consistency(x, self.autoencoder)}


class WholeLoss:
    """beta * IMPRESS's loss, where the picture that it is to be similar to is the original."""

    def __init__(self, original: Tensor, autoencoder: Autoencoder, beta: float) -> None:
        network = load_perceptual(autoencoder.similarity_network("auto"), autoencoder.device)
        self.loss = ImpressLoss(autoencoder, network, original, alpha=PUBLISHED.alpha, delta=PUBLISHED.delta)
        self.weights: Mapping[str, float] = {"IMPRESS loss": beta}

    def __call__(self, x: Tensor) -> Terms:
        return {"IMPRESS loss": sum_terms(self.loss(x), self.loss.weights)}


class Purified:
    """The objective of P(x), IMPRESS's ``fast`` recipe cut to a few steps, with the gradient that V(x) would have."""

    def __init__(self, objective: Objective, autoencoder: Autoencoder, steps: int, seed: int) -> None:
        self.objective, self.autoencoder, self.seed = objective, autoencoder, seed
        self.weights = objective.weights
        self.settings = PurifySettings(steps=steps)

    def __call__(self, x: Tensor) -> Terms:
        with torch.enable_grad():  # the purifier follows its own gradient, also where ours is not asked for
            purified = run_to_end(purify(x.detach(), self.settings, self.autoencoder, seed=self.seed)).result
        assert purified is not None
        if not torch.is_grad_enabled():
            return self.objective(purified)
        seen = self.autoencoder.reconstruct(x)
        return self.objective(seen + (purified - seen).detach())
