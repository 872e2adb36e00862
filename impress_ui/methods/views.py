"""A change at a picture's own size that misleads a model which sees the picture reduced, or a crop of it reduced.

Each call draws what the attacker sees, the whole picture and a random part of it in turn, both reduced to the working
size with antialiasing. The method's own objective judges that, and its gradient goes back through the reduction to
every pixel (expectation over transformations, Athalye et al., arXiv 1707.07397, with two kinds of transformation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.optimise import Objective, Terms
from impress_ui.methods.protections import PROTECTIONS
from impress_ui.pictures.images import quantise, working_size

LEAST = 0.25  # of the picture's sides, that a crop keeps


def reduced(x: Tensor, side: int) -> Tensor:
    """Pictures x (B, 3, H, W) with their longest side reduced to ``side`` pixels, antialiased; differentiable.

    Of a mask (B, 1, H, W) is kept what any pixel of it has: a thin stroke is not lost.
    """
    width, height = working_size((x.shape[-1], x.shape[-2]), side)
    if x.shape[1] == 1:
        return functional.adaptive_max_pool2d(x, (height, width))
    return functional.interpolate(x, size=(height, width), mode="bicubic", antialias=True)


class Views:
    """The objective of what is seen of a picture at a working size.

    Args:
        setup: the run; its picture, mask and target are as large as the picture is.
        side: the longest side of what is seen, in pixels.
        objective_of: builds the method's objective of a setup.
    """

    def __init__(self, setup: Setup, side: int, objective_of: Callable[[Setup], Objective]) -> None:
        self.setup, self.side, self.objective_of = setup, side, objective_of
        self.seen_whole = objective_of(self._seen(lambda x: x))
        self.weights: Mapping[str, float] = self.seen_whole.weights
        # A target that the denoiser paints would have to be painted again for each crop.
        self.crops = PROTECTIONS[setup.settings.method].autoencoder_only
        self._random = torch.Generator().manual_seed(setup.seed)
        self._calls = 0

    def __call__(self, x: Tensor) -> Terms:
        self._calls += 1
        if self._calls % 2 or not self.crops:
            return self.seen_whole(reduced(x, self.side))
        crop = self._crop(x)
        # Each crop with draws of its own, where its objective makes any.
        seen = replace(self._seen(crop), seed=self.setup.seed + self._calls)
        return self.objective_of(seen)(reduced(crop(x), self.side))

    def _seen(self, crop: Callable[[Tensor], Tensor]) -> Setup:
        """The run on what is seen: in 8 bits, as the model would get it."""
        with torch.no_grad():
            x, mask, target = self.setup.x, self.setup.mask, self.setup.target
            return replace(
                self.setup,
                x=quantise(reduced(crop(x), self.side)),
                mask=None if mask is None else (reduced(crop(mask), self.side) > 0.5).float(),
                target=None if target is None else reduced(crop(target), self.side).clamp(-1, 1),
            )

    def _crop(self, x: Tensor) -> Callable[[Tensor], Tensor]:
        """A random part of the picture's shape, never smaller than what is seen of it."""
        least = min(1.0, max(LEAST, self.side / max(x.shape[-2:])))
        share, down, right = torch.rand(3, generator=self._random).tolist()
        share = least + (1 - least) * share
        height, width = (max(1, round(length * share)) for length in x.shape[-2:])
        top, left = round((x.shape[-2] - height) * down), round((x.shape[-1] - width) * right)
        return lambda y: y[..., top : top + height, left : left + width]
