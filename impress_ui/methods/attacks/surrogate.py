"""Anti-DreamBooth's alternating surrogate and perturbation learning (ASPL; Van Le et al., arXiv 2303.15433).

Whoever imitates a style trains on the protected pictures, so the protection trains along: in each round a copy of the
surrogate learns the clean pictures and is attacked for a few steps; then the surrogate itself learns the pictures as
they are protected so far.
"""

from __future__ import annotations

from itertools import islice

import torch
from PIL import Image
from torch import Tensor

from impress_ui.art.artists.works import Work
from impress_ui.methods.attacks.denoising import DenoisingError
from impress_ui.methods.attacks.setup import Setup
from impress_ui.methods.mimic import FineTuning
from impress_ui.methods.optimise import Terms
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.settings import MimicSettings


class SurrogateError(DenoisingError):
    """The denoising error of a surrogate in training, to be raised; see the module's docstring.

    A call in which no gradient is asked for belongs to no round.
    """

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup, weight=-1.0)
        settings = setup.settings
        self.surrogate_steps, self.attack_steps = settings.surrogate_steps, settings.attack_steps
        self.autoencoder: Autoencoder = setup.autoencoder
        training = MimicSettings(
            steps=MimicSettings.describe("steps")["maximum"],
            batch=min(len(setup.x), 4),
            learning_rate=settings.surrogate_rate,
            flip=False,
            preview_every=0,
        )
        # What a fine-tuning learns from is replaced below, before it learns: pictures here may have any size.
        blank = Image.new("RGB", (self.model.multiple, self.model.multiple))
        works = [Work(blank, settings.attacked_prompt, "", "")] * len(setup.x)
        base = self.model
        # Two of them: the surrogate, and its copy that is trained on the clean pictures and attacked.
        self.surrogate = FineTuning(base, works, training, seed=setup.seed + 2)
        self.attacked = FineTuning(base, works, training, seed=setup.seed + 3)
        self.attacked.latents = self._latents(setup.x)
        self.model = self.attacked.model()
        self.calls = 0

    def __call__(self, x: Tensor) -> Terms:
        if torch.is_grad_enabled():
            if self.calls % self.attack_steps == 0:
                self._begin_round(x)
            self.calls += 1
        return super().__call__(x)

    def _begin_round(self, x: Tensor) -> None:
        if self.calls:
            self.surrogate.latents = self._latents(x)
            self._train(self.surrogate)
        with torch.no_grad():
            for copy, weight in zip(self.attacked.trained, self.surrogate.trained, strict=True):
                copy.copy_(weight)
        self._train(self.attacked)
        self.model = self.attacked.model()

    def _train(self, tuning: FineTuning) -> None:
        """A few steps with an optimiser that starts anew, as published."""
        tuning.optimiser.state.clear()
        with torch.enable_grad():
            for _ in islice(tuning.run(), self.surrogate_steps):
                pass

    @torch.no_grad()
    def _latents(self, x: Tensor) -> Tensor:
        return self.autoencoder.to_scaled(self.autoencoder.encode(x.detach())).cpu()
