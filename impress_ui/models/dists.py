"""DISTS (Ding et al., arXiv 2004.07728) offline: how alike two pictures are in structure and in texture.

    D(x, y) = 1 - sum over feature maps i of  alpha_i * l_i + beta_i * s_i
    l = (2 mean(x) mean(y) + c1) / (mean(x)^2 + mean(y)^2 + c1)            texture
    s = (2 cov(x, y) + c2) / (var(x) + var(y) + c2)                        structure

over the picture itself and relu1_2 to relu5_3 of VGG16 with L2 pooling. Where LPIPS asks for the same features at the
same places, DISTS forgives a texture that is drawn anew. The VGG16 is LPIPS's; alpha and beta, which sum to 1, are the
authors' (``training/extract_backbones.py``).
"""

from __future__ import annotations

from functools import lru_cache

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from impress_ui.models.checksums import check
from impress_ui.models.perceptual import load_perceptual
from impress_ui.paths import DISTS_WEIGHTS

STABILISER = 1e-6  # c1 and c2
CHANNELS = (3, 64, 128, 256, 512, 512)


class Dists(nn.Module):
    """DISTS of two batches of pictures, with weights that nobody trains."""

    def __init__(self, device: str = "cpu") -> None:
        super().__init__()
        vgg = load_perceptual("vgg", device).lpips
        self.scale = vgg.scaling_layer  # ImageNet's statistics, for [-1, 1]
        stages = [list(getattr(vgg.net, f"slice{number}")) for number in range(1, 6)]
        # All but the first stage begin with the maximum pooling that DISTS replaces.
        self.stages = nn.ModuleList(nn.Sequential(*layers[number > 0 :]) for number, layers in enumerate(stages))
        check(DISTS_WEIGHTS)
        weights = load_file(DISTS_WEIGHTS, device=device)
        total = weights["alpha"].sum() + weights["beta"].sum()
        self.alpha, self.beta = ((weights[name] / total).split(CHANNELS) for name in ("alpha", "beta"))
        self.requires_grad_(False).eval()

    def features(self, x: Tensor) -> list[Tensor]:
        """The six feature maps of x (B, 3, H, W) in [-1, 1]; the first is x itself in [0, 1]."""
        maps, seen = [(x + 1) / 2], self.scale(x)
        for number, stage in enumerate(self.stages):
            seen = stage(_l2_pooled(seen) if number else seen)
            maps.append(seen)
        return maps

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Distances (B,), 0 for equal pictures and below 1 or little above, of x and y, (B, 3, H, W) in [-1, 1]."""
        alike = x.new_zeros(len(x))
        for a, b, alpha, beta in zip(self.features(x), self.features(y), self.alpha, self.beta, strict=True):
            (mean_a, a), (mean_b, b) = _centred(a), _centred(b)
            texture = (2 * mean_a * mean_b + STABILISER) / (mean_a**2 + mean_b**2 + STABILISER)
            covariance, variances = (a * b).mean((2, 3)), (a**2).mean((2, 3)) + (b**2).mean((2, 3))
            structure = (2 * covariance + STABILISER) / (variances + STABILISER)
            alike = alike + (alpha * texture + beta * structure).sum(dim=1)
        return 1 - alike


def _centred(maps: Tensor) -> tuple[Tensor, Tensor]:
    """(means (B, C), what the maps are about them)."""
    means = maps.mean((2, 3))
    return means, maps - means[..., None, None]


def _l2_pooled(maps: Tensor) -> Tensor:
    """Half the size: the root of the squares under a Hann window of three (Henaff and Simoncelli, 1511.06394)."""
    hann = maps.new_tensor([0.25, 0.5, 0.25])
    window = torch.outer(hann, hann).expand(maps.shape[1], 1, 3, 3)
    squares = functional.conv2d(maps**2, window, stride=2, padding=1, groups=maps.shape[1])
    return (squares + 1e-12).sqrt()


@lru_cache(maxsize=2)
def load_dists(device: str = "cpu") -> Dists:
    """DISTS on a device, loaded once per process.

    Raises:
        UserError: its weights are damaged.
    """
    return Dists(device)
