"""The embedded autoencoder: an encoder that starts from ImageNet's VGG16, and a light residual decoder.

An autoencoder trained from scratch at this size is too smooth for an imperceptible perturbation to
steer. One whose encoder is a deep pretrained classifier is steered at once, as Stable Diffusion's
is; that is the phenomenon the paper studies, so the embedded checkpoint is built this way. The idea of
an autoencoder on a pretrained representation is that of representation autoencoders
(arXiv 2510.11690).

The class keeps ``diffusers.AutoencoderKL``'s contract, so the same code and diffusers' own
pipelines run either of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F

# torchvision's VGG16 up to conv3_3 (before its ReLU): widths of the 3x3 convolutions, "M" a 2x2 max-pool.
VGG16_TO_CONV3_3 = (64, 64, "M", 128, 128, "M", 256, 256, 256)
# ImageNet statistics mapped from [0, 1] to the [-1, 1] range of our tensors (mean*2-1, std*2).
IMAGENET_MEAN = (-0.030, -0.088, -0.188)
IMAGENET_STD = (0.458, 0.448, 0.450)
# conv3_3's activations have a deviation of roughly 8 on photographs.
FEATURE_SCALE = 8.0


class VGGBackbone(nn.Module):
    """VGG16's first seven convolutions: (B, 3, H, W) in [-1, 1] to (B, 256, H/4, W/4)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in VGG16_TO_CONV3_3:
            if width == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, int(width), 3, padding=1), nn.ReLU()]
                channels = int(width)
        self.layers = nn.Sequential(*layers[:-1])  # the last ReLU would throw half of the signal away
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers((x - self.mean) / self.std) / FEATURE_SCALE


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a skip; without normalisation, which would cost more than it gives on a CPU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)  # each block starts as the identity, which keeps depth trainable
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(x)))


class ResidualDecoder(nn.Module):
    """Latents (B, C, h, w) to images (B, 3, h*f, w*f); each stage but the first doubles the resolution."""

    def __init__(self, latent_channels: int, channels: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(latent_channels, channels[0], 3, padding=1)]
        previous = channels[0]
        for stage, (width, depth) in enumerate(zip(channels, blocks, strict=True)):
            if stage:
                layers += [nn.Conv2d(previous, 4 * width, 3, padding=1), nn.PixelShuffle(2)]
            layers += [ResidualBlock(width) for _ in range(depth)]
            previous = width
        layers += [nn.SiLU(), nn.Conv2d(previous, 3, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class VGGAutoencoder(ModelMixin, ConfigMixin):
    """Autoencoder with ``AutoencoderKL``'s contract on a VGG16 encoder.

    ``encode(x).latent_dist`` is a diagonal Gaussian over latents (B, 4, H/4, W/4) for x (B, 3, H, W) in
    [-1, 1], H and W multiples of 8; ``decode(z).sample`` is an image of the same shape as x (not clamped).

    Args:
        latent_channels: channels of the latent; 4 keeps Stable Diffusion's pipelines usable.
        block_out_channels: decoder widths from full resolution to the latent's; diffusers' pipelines
            derive the factor 2 ** (len - 1) from its length.
        blocks_per_stage: residual blocks at each of those resolutions, in the same order.
        head_channels: width of the layer between VGG16's features and the latent's moments.
        scaling_factor: reciprocal of the latents' measured deviation over photographs.
    """

    config_name = "config.json"

    @register_to_config
    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        latent_channels: int = 4,
        block_out_channels: tuple[int, ...] = (48, 96, 160),
        blocks_per_stage: tuple[int, ...] = (1, 2, 4),
        head_channels: int = 128,
        scaling_factor: float = 1.0,
        sample_size: int = 128,
        force_upcast: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = VGGBackbone()
        self.head = nn.Sequential(
            nn.Conv2d(256, head_channels, 1),
            nn.SiLU(),
            nn.Conv2d(head_channels, 2 * latent_channels, 3, padding=1),
        )
        self.decoder = ResidualDecoder(latent_channels, block_out_channels[::-1], blocks_per_stage[::-1])

    def encode(self, x: Tensor, return_dict: bool = True) -> AutoencoderKLOutput | tuple[DiagonalGaussianDistribution]:
        """Posterior over the latents of x (B, 3, H, W) in [-1, 1]."""
        posterior = DiagonalGaussianDistribution(self.head(self.backbone(x)))
        return AutoencoderKLOutput(latent_dist=posterior) if return_dict else (posterior,)

    def decode(
        self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> DecoderOutput | tuple[Tensor]:
        """Image of the unscaled latents z (B, C, h, w). The generator is accepted for diffusers and unused."""
        sample = self.decoder(z)
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    def forward(self, x: Tensor, sample_posterior: bool = False, return_dict: bool = True) -> DecoderOutput | tuple:
        """V(x) = D(E(x)), through the posterior's mean unless ``sample_posterior``."""
        posterior = self.encode(x).latent_dist
        z = posterior.sample() if sample_posterior else posterior.mode()
        return self.decode(z, return_dict=return_dict)
