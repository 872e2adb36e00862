"""Protections against several encoders at once, with the weight on the one that is least misled.

Whoever imitates chooses the model, and what was made on one autoencoder does nothing to another (docs/results.md,
"Another autoencoder"). So each step follows the gradient of a mean over encoders, in which those count most whose own
objective has fallen least, as in attacks on ensembles of classifiers (Dong et al., arXiv 1710.06081).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import Objective, Terms, sum_terms
from impress_ui.methods.protections import PROTECTIONS

SHARPNESS = 8.0  # of the softmax over what is left of each: a laggard by a tenth counts e^0.8 = 2.2 times as much


class Ensemble:
    """sum_k w_k L_k / L_k(x0), in the units of the first, with w = softmax(8 L / L(x0)), picture by picture.

    Args:
        parts: the objective on each encoder, each of one term and all of the same.
        clean: the unprotected pictures x0 (B, 3, H, W).
    """

    def __init__(self, parts: list[Objective], clean: Tensor) -> None:
        self.parts = parts
        self.weights: Mapping[str, float] = {}
        with torch.no_grad():
            losses, _ = self._losses(clean)
        # One that is at its aim from the start has nothing to fall from, and must not outweigh the others.
        self._start = losses.clamp(min=1e-12).maximum(1e-3 * losses.amax(dim=0))

    def __call__(self, x: Tensor) -> Terms:
        losses, name = self._losses(x)
        left = losses / self._start
        shares = torch.softmax(SHARPNESS * left.detach(), dim=0)
        return {name: (shares * left).sum(dim=0) * self._start[0]}

    def _losses(self, x: Tensor) -> tuple[Tensor, str]:
        """(K, B) of them, and what they are called."""
        terms = [part(x) for part in self.parts]
        (name,) = terms[0]
        losses = [sum_terms(own, part.weights) for own, part in zip(terms, self.parts, strict=True)]
        return torch.stack(losses), name


def attack_of(setup: Setup) -> Objective:
    """The method's own objective, on the run's encoder or on all that it is also made against.

    Raises:
        UserError: the method has more than an encoder to mislead, or nowhere to lead it to, or the settings name others
            that were not given.
    """
    if setup.settings.others and not setup.others:  # never silently without
        raise UserError("Here a protection is made on one encoder alone; leave also empty.")
    protection = PROTECTIONS[setup.settings.method]
    if not setup.others:
        return protection.objective(setup)
    if not protection.many_encoders:
        *first, last = (name for name, other in PROTECTIONS.items() if other.many_encoders)
        allowed = f"{', '.join(first)} or {last}"
        raise UserError(f"Only an attack on the encoder can be made against several: protect by {allowed}.")
    encoders = (setup.autoencoder, *setup.others)
    return Ensemble([protection.objective(replace(setup, autoencoder=one)) for one in encoders], setup.x)
