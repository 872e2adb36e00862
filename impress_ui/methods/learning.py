"""How the learned purifier learns, from pairs of pictures: as they are to be, and as they are given.

A given picture is a protected one, or one that no protection touched and that is to stay as it is. The loss is taken in
pixels and, as high-level guided denoising has it (Liao et al., arXiv 1712.02976), in the features that the attack aims
at: the latents of an autoencoder that is drawn anew for every batch, with a little noise on the picture. Without the
two, the network learns a second perturbation that undoes the first for one encoder, and leaves it in the picture.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from impress_ui.methods.filters import through_format
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.residual_unet import ResidualUNet

PIXEL_WEIGHT = 4.0  # of the mean absolute difference in [-1, 1]
LATENT_WEIGHT = 1.0  # of the latents' distance, as a share of the latent's length
JITTER = 2 * 2 / 255  # deviation, in the [-1, 1] range, of the noise before the encoder: two grey levels
UNTOUCHED = 0.25  # share of a batch that no protection touched
DECAY = 0.995  # of the averaged weights, which are the ones that are kept
Pair = tuple[Tensor, Tensor]  # a picture as it is to be, and as it is given: (3, H, W) uint8


def latent_error(autoencoder: Autoencoder, x: Tensor, reference: Tensor) -> Tensor:
    """||E(x) - E(reference)|| / ||E(reference)||, (B,)."""
    with torch.no_grad():
        aim = autoencoder.encode(reference).flatten(1)
    # The small number keeps the gradient finite where nothing is wrong.
    return ((autoencoder.encode(x).flatten(1) - aim).norm(dim=1) ** 2 + 1e-6).sqrt() / aim.norm(dim=1)


class Training:
    """A network in training.

    Args:
        draw: gives a batch of pairs, in [-1, 1], at every call.
        autoencoders: in whose latents the loss is taken.
        steps: of the whole run; the rate falls to zero over them by a cosine.
    """

    def __init__(
        self,
        network: ResidualUNet,
        draw: Callable[[], tuple[Tensor, Tensor]],
        autoencoders: Sequence[Autoencoder],
        *,
        steps: int,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.network, self.draw, self.autoencoders, self.steps = network, draw, autoencoders, steps
        self.averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(DECAY))
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, betas=(0.9, 0.98), weight_decay=1e-4)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        self.random = random.Random(seed)

    def _rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / 50)
        return warm * 0.5 * (1 + float(np.cos(np.pi * min(1.0, step / self.steps))))

    def step(self) -> dict[str, float]:
        """One batch; its losses."""
        wanted, given = self.draw()
        purified = (given - self.network(given)).clamp(-1, 1)
        pixel = (purified - wanted).abs().mean()
        # The encoder costs as much as the network: half of the batch tells its gradient well enough.
        half = self.random.sample(range(len(given)), max(1, len(given) // 2))
        seen = purified[half]
        shaken = seen + JITTER * self.random.random() * torch.randn_like(seen)
        latent = latent_error(self.random.choice(self.autoencoders), shaken, wanted[half]).mean()
        self.optimiser.zero_grad(set_to_none=True)
        (PIXEL_WEIGHT * pixel + LATENT_WEIGHT * latent).backward()
        if torch.isfinite(nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)):
            self.optimiser.step()
        self.schedule.step()
        self.averaged.update_parameters(self.network)
        return {"pixel": pixel.item(), "latent": latent.item()}


class Draw:
    """Batches of crops of pairs, mirrored by chance; a share of them untouched.

    Args:
        pairs: of any sizes, at least ``side``.
        side: of the crops, in pixels.
        untouched: share of a batch that no protection touched. The more, the less is taken off a faint protection.
    """

    def __init__(
        self, pairs: Sequence[Pair], batch: int, side: int, seed: int, device: str = "cpu", untouched: float = UNTOUCHED
    ) -> None:
        self.pairs, self.batch, self.side, self.device, self.untouched = pairs, batch, side, device, untouched
        self.random = random.Random(seed)

    def __call__(self) -> tuple[Tensor, Tensor]:
        both = [self._pair() for _ in range(self.batch)]
        untouched = round(self.untouched * self.batch)
        for index in range(untouched):
            kept = self._as_others_come(both[index][0])
            both[index] = (kept, kept)
        return tuple(torch.stack(part).to(self.device) for part in zip(*both, strict=True))  # type: ignore[return-value]

    def _pair(self) -> Pair:
        pair = self.random.choice(self.pairs)
        height, width = pair[0].shape[-2:]
        top, left = self.random.randint(0, height - self.side), self.random.randint(0, width - self.side)
        parts = [part[:, top : top + self.side, left : left + self.side] for part in pair]
        if self.random.random() < 0.5:
            parts = [part.flip(-1) for part in parts]
        return parts[0].float() / 127.5 - 1, parts[1].float() / 127.5 - 1

    def _as_others_come(self, x: Tensor) -> Tensor:
        """A picture as it is, saved as a JPEG, or with a camera's noise."""
        kind = self.random.choice(("clean", "clean", "jpeg", "noise"))
        if kind == "jpeg":
            return through_format(x[None], "JPEG", self.random.randint(50, 95))[0]
        if kind == "noise":
            deviation = 2 * self.random.uniform(1, 6) / 255
            return ((x + deviation * torch.randn_like(x)).clamp(-1, 1) * 127.5).round() / 127.5
        return x
