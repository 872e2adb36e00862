"""Protections made through what pictures go through: expectation over transformations.

(Athalye et al., arXiv 1707.07397.) Each step asks the method's objective of the picture as it is and of a few altered
versions of it, drawn anew, and takes the mean; its gradient comes back through the alterations. So MetaCloak and its
kin (arXiv 2311.13127) outlive compression and scaling. The price is one more pass of everything for each version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.functional import gaussian_blur

from impress_ui.methods.attacks.jpeg import differentiable_jpeg
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import Objective, Terms
from impress_ui.models.residual_unet import learned_purifier
from impress_ui.paths import PURIFIER

Draw = Callable[[float, float], float]  # a number between two


class Robust:
    """The mean of an objective over the picture and ``draws`` altered versions of it.

    What is drawn depends on the setup's seed and the call alone, never on the batch.
    """

    def __init__(self, objective: Objective, setup: Setup) -> None:
        self.objective, self.draws = objective, setup.settings.draws
        self.kinds = tuple(dict.fromkeys(setup.settings.robust_to))
        self.weights: Mapping[str, float] = objective.weights
        self._random = torch.Generator().manual_seed(setup.seed)

    def __call__(self, x: Tensor) -> Terms:
        seen = [self.objective(x)]
        for _ in range(self.draws):
            kind = self.kinds[int(torch.randint(len(self.kinds), (1,), generator=self._random))]
            seen.append(self.objective(ALTERED[kind](x, self._random).clamp(-1, 1)))
        return {name: torch.stack([terms[name] for terms in seen]).mean(dim=0) for name in seen[0]}


def robust(objective: Objective, setup: Setup) -> Objective:
    """The objective as the settings want it: alone, or over what pictures go through."""
    return Robust(objective, setup) if setup.settings.robust_to else objective


def _between(random: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(1, generator=random))


def _scaled(x: Tensor, share: float) -> Tensor:
    """x reduced to a share of its sides and enlarged again."""
    size = x.shape[-2:]
    reduced = [max(1, round(length * share)) for length in size]
    small = functional.interpolate(x, size=reduced, mode="bicubic", antialias=True)
    return functional.interpolate(small, size=size, mode="bicubic")


def _jpeg(x: Tensor, random: torch.Generator) -> Tensor:
    return differentiable_jpeg(x, round(_between(random, 40, 95)))


def _resize(x: Tensor, random: torch.Generator) -> Tensor:
    return _scaled(x, _between(random, 0.4, 0.9))


def _blur(x: Tensor, random: torch.Generator) -> Tensor:
    deviation = _between(random, 0.4, 1.5)
    reach = min(2 * round(3 * deviation) + 1, 2 * ((min(x.shape[-2:]) - 1) // 2) + 1)
    return gaussian_blur(x, [reach, reach], [deviation, deviation])


def _noise(x: Tensor, random: torch.Generator) -> Tensor:
    # 0.1 of the [0, 1] range at most; one noise for the whole batch.
    deviation = 2 * _between(random, 0.01, 0.1)
    return x + deviation * torch.randn(x.shape[1:], generator=random).to(x)


def _crop(x: Tensor, random: torch.Generator) -> Tensor:
    """A part of at least 0.85 of the sides, enlarged again."""
    share, down, right = _between(random, 0.85, 0.98), _between(random, 0, 1), _between(random, 0, 1)
    height, width = (max(1, round(length * share)) for length in x.shape[-2:])
    top, left = round((x.shape[-2] - height) * down), round((x.shape[-1] - width) * right)
    part = x[..., top : top + height, left : left + width]
    return functional.interpolate(part, size=x.shape[-2:], mode="bicubic")


def _screenshot(x: Tensor, random: torch.Generator) -> Tensor:
    """Shown at another size, and kept by a service that compresses."""
    scaled = _scaled(x, _between(random, 0.6, 0.95)).clamp(-1, 1)
    return differentiable_jpeg(scaled, round(_between(random, 70, 90)))


def _learned(x: Tensor, random: torch.Generator) -> Tensor:
    return x - learned_purifier(PURIFIER, str(x.device))(x)


ALTERED: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "jpeg": _jpeg,
    "resize": _resize,
    "blur": _blur,
    "noise": _noise,
    "crop": _crop,
    "screenshot": _screenshot,
    "learned": _learned,
}
