"""LPIPS (Zhang et al., arXiv 1801.03924) offline, with the features of a fixed image computed once.

The ``lpips`` package ships its linear heads only and would download the ImageNet backbones; ours come
from ``assets/lpips`` instead (see ``training/extract_backbones.py``).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache

import torch
from lpips import LPIPS, normalize_tensor
from safetensors.torch import load_file
from torch import Tensor, nn

from impress_ui.models.checksums import check
from impress_ui.paths import LPIPS_WEIGHTS
from impress_ui.settings import LpipsNetwork


class PerceptualDistance(nn.Module):
    """LPIPS v0.1 with its two halves, features and distance, callable apart.

    Args:
        network: ``"alex"`` or ``"vgg"``, the backbone.
    """

    def __init__(self, network: LpipsNetwork) -> None:
        super().__init__()
        # pretrained=False also keeps lpips from unpickling its heads: they are in our file. "meta": torchvision would
        # draw a hundred million random weights, a second's work, for layers that LPIPS does not even keep.
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.simplefilter("ignore")  # lpips calls torchvision by a deprecated keyword
            self.lpips = LPIPS(net=network, pretrained=False, pnet_rand=True, verbose=False)
        file = LPIPS_WEIGHTS / f"{network}.safetensors"
        check(file)
        weights = load_file(file)
        self.lpips.load_state_dict({name: value.float() for name, value in weights.items()}, strict=False, assign=True)
        self.requires_grad_(False).eval()

    def features(self, x: Tensor) -> list[Tensor]:
        """Channel-normalised feature maps of x (B, 3, H, W) in [-1, 1], one a layer."""
        return [normalize_tensor(layer) for layer in self.lpips.net(self.lpips.scaling_layer(x))]

    def between(self, a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
        """Distances (B,) between two lists of feature maps as ``features`` returns them."""
        terms = [head((x - y) ** 2).mean(dim=(1, 2, 3)) for head, x, y in zip(self.lpips.lins, a, b, strict=True)]
        return torch.stack(terms).sum(dim=0)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Distances (B,) between x and y, both (B, 3, H, W) in [-1, 1]."""
        return self.between(self.features(x), self.features(y))


@lru_cache(maxsize=4)
def load_perceptual(network: LpipsNetwork, device: str = "cpu") -> PerceptualDistance:
    """The frozen LPIPS with the given backbone on the given device, loaded once per process."""
    module = PerceptualDistance(network).to(device, torch.float32)  # whatever torch's default is at this moment
    return module.to(memory_format=torch.channels_last) if device == "cpu" else module
