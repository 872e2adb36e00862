"""AdvPaint's objective (Jeon et al., ICLR 2025): what the denoiser's attention makes of the picture is driven away.

Published for inpainting denoisers, on the queries, keys and values; here on what each attention layer gives, which
every denoiser has, and which depends on all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.attacks.denoising import DenoisingError
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.objectives import beside


class AttentionShift(DenoisingError):
    """mean over layers l of mean (phi_l(z_t) - phi_l(z0_t))^2, with phi_l what the attention layer l gives.

    z_t and z0_t are the changed and the original picture's latents with the same noise at the same time; averaged over
    ``repetitions`` times and noises, new ones at every call. To be raised: the weight is -1.

    Raises:
        UserError: the denoiser has no attention layer.
    """

    name = "attention shift"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup, weight=-1.0)
        modules = self.model.unet.named_modules()
        self.layers = [module for name, module in modules if name.endswith((".attn1", ".attn2"))]
        if not self.layers:
            raise UserError(f"The denoiser of the checkpoint {self.model.name} has no attention that could be misled.")
        autoencoder = self.model.autoencoder
        with torch.no_grad():
            # At the original itself there is no slope, and a run that starts there would never leave.
            self.origin = beside(autoencoder.to_scaled(autoencoder.encode(setup.x)), setup.seed)

    def _errors(self, latent: Tensor, times: Tensor, noise: Tensor, gradient: bool) -> tuple[Tensor, Tensor | None]:
        """(distances (N,), gradient of their sum with respect to the latents)."""
        a = self.alphas.to(latent)[times].view(-1, 1, 1, 1)
        original = self.origin.repeat(len(latent) // len(self.origin), 1, 1, 1)
        with torch.no_grad():
            goals = self._seen(a.sqrt() * original + (1 - a).sqrt() * noise, times)
        with torch.set_grad_enabled(gradient):
            latent = latent.detach().requires_grad_(gradient)
            seen = self._seen(a.sqrt() * latent + (1 - a).sqrt() * noise, times)
            distances = [
                (now.float() - goal.float()).square().flatten(1).mean(dim=1)
                for now, goal in zip(seen, goals, strict=True)
            ]
            errors = torch.stack(distances).mean(dim=0)
        if not gradient:
            return errors, None
        (slope,) = torch.autograd.grad(errors.sum(), latent)
        return errors.detach(), slope

    def _seen(self, noisy: Tensor, times: Tensor) -> list[Tensor]:
        """What each attention layer gives in one pass."""
        with _listening(self.layers) as heard:
            self._denoise(noisy, times)
        return heard


@contextmanager
def _listening(layers: list[Any]) -> Iterator[list[Tensor]]:
    """What the layers give while it is open, in the order of the layers' calls."""
    heard: list[Tensor] = []
    hooks = [layer.register_forward_hook(lambda _module, _given, made: heard.append(made)) for layer in layers]
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()
