"""What the protections' objectives are built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.optimise import Objective, ShouldStop, Terms, never
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.diffusion_model import DiffusionModel
from impress_ui.settings import ProtectSettings

# Takes latents and whether their gradient is wanted; gives a value (B,) and that gradient (B, C, h, w).
LatentJudge = Callable[[Tensor, bool], tuple[Tensor, Tensor | None]]
StyleOf = Callable[[Sequence[Image.Image]], str]


@dataclass(frozen=True)
class Setup:
    """One run: pictures x (B, 3, H, W) in [-1, 1], what is to be done with them, and with which model.

    ``style_of`` names the style that pictures are to be moved towards where the settings name none; ``others`` are the
    autoencoders that an attack on the encoder is also made against.
    """

    x: Tensor
    settings: ProtectSettings
    autoencoder: Autoencoder
    model: DiffusionModel | None = None
    target: Tensor | None = None
    mask: Tensor | None = None
    seed: int = 0
    should_stop: ShouldStop = never
    style_of: StyleOf | None = None
    others: tuple[Autoencoder, ...] = ()

    @property
    def whole_model(self) -> DiffusionModel:
        """The model, for the methods that need more than its autoencoder.

        Raises:
            UserError: only the autoencoder is there.
        """
        if self.model is None:
            raise UserError(f"The protection {self.settings.method} needs a whole diffusion model, not an autoencoder.")
        return self.model

    @property
    def denoising_model(self) -> DiffusionModel:
        """The model, for the methods that call its denoiser themselves.

        Raises:
            UserError: it is of a kind whose denoiser takes more than noisy latents and a prompt, or the prompt is
                too long.
        """
        model = self.whole_model
        if model.family != "sd" or model.inpainting:
            raise UserError(
                "This protection runs on ordinary Stable Diffusion 1.x and 2.x checkpoints, "
                "not on SDXL or an inpainting one."
            )
        model.check_prompt(self.settings.attacked_prompt)
        return model

    def over(self, x: Tensor) -> Setup:
        """The same run over other pictures."""
        return replace(self, x=x)


class Sum:
    """Objectives of different names, added up with the weights that they have."""

    def __init__(self, parts: Sequence[Objective]) -> None:
        self.parts = parts
        self.weights: Mapping[str, float] = {name: w for part in parts for name, w in part.weights.items()}

    def __call__(self, x: Tensor) -> Terms:
        return {name: value for part in self.parts for name, value in part(x).items()}


def behind_encoder(x: Tensor, encode: Callable[[Tensor], Tensor], judge: LatentJudge) -> Tensor:
    """judge(encode(x)), (B,), with the exact gradient taken in two halves.

    The latents are judged first, without the encoder's graph in memory; that graph is built afterwards, and the
    loop's own backward pass goes through it with the gradient that the judge found.
    """
    gradient = torch.is_grad_enabled() and x.requires_grad
    with torch.no_grad():
        latent = encode(x)
    value, slope = judge(latent, gradient)
    if slope is None:
        return value
    inner = (encode(x) * slope).flatten(1).sum(dim=1)
    return value + inner - inner.detach()
