"""IMPRESS (Cao et al., NeurIPS 2023, arXiv 2310.19248): the paper's algorithm, from top to bottom.

A protected picture x_adv and what the latent diffusion model's autoencoder makes of it, V(x) = D(E(x)), disagree.
IMPRESS looks for a picture that agrees with its own reconstruction and still looks like the protected one:

    min over x    mean((V(x) - x)^2)  +  alpha * max(LPIPS(x, x_adv) - delta, 0)
                  consistency            similarity, with the paper's budget delta = Delta_L

by Adam under cosine annealing, from x_adv and a little noise, clamped to [-1, 1] after every step. That is the recipe
``paper``. Ours, ``fast``, which is the default, moves a latent z instead, whose picture D(z) is consistent by
construction: the first term has the weight 0 and is only watched, the pixels' own distance and their total variation
are added, it starts from a JPEG of x_adv, stays within a radius of it, and ends with filters.
The fields stand in ``methods/purifiers/impress.py``; terms that may be exchanged for these, and the last touches, in
``methods/terms.py``; the loop, which weighs and sums the terms, in ``methods/optimise.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from impress_ui.methods.optimise import Step, Terms
    from impress_ui.methods.purifiers.purifier import Tools
    from impress_ui.models.autoencoder import Autoencoder
    from impress_ui.models.perceptual import PerceptualDistance
    from impress_ui.settings import PurifySettings

# What the published code does (AAAAAAsuka/Impress), for its two tasks; 'fast' is the fields' own defaults.
PUBLISHED: dict[str, Any] = {
    "variable": "pixels", "consistency_weight": 1.0, "fidelity_weight": 0.0, "smoothness": 0.0, "trust_radius": 0,
    "polish": 0.0, "sharpen": 0.0, "finish_quality": 0, "adam_eps": 1e-5, "start": "protected", "keep_best": False,
    "patience": 0, "delta": 0.1,
}  # fmt: skip
RECIPES: dict[str, dict[str, Any]] = {
    "fast": {},
    # GLAZE's Adam drives most pixels to its cap, where PhotoGuard's decaying steps leave few, and the cap of a style's
    # works is high: more room to undo it, and more steps to get there.
    "fast-style": {"trust_radius": 48, "steps": 80},
    # Room for each picture by what the learned purifier finds in it: where that is nothing, it is left as it is.
    "careful": {"radius_from_found": True, "trust_radius": 40, "learned_share": 0.8},
    "paper": {**PUBLISHED, "alpha": 0.1, "steps": 3000, "learning_rate": 0.01, "start_noise": 0.1},
    "paper-editing": {**PUBLISHED, "alpha": 0.01, "steps": 1000, "learning_rate": 0.005, "start_noise": 0.05},
}
# A look at the consistency is a pass of the encoder and the decoder: at every tenth step 1/14 of the time.
WATCH_EVERY = 10


def consistency(x: Tensor, autoencoder: Autoencoder) -> Tensor:
    """mean((V(x) - x)^2), (B,), of x (B, 3, H, W) in [-1, 1]; the gradient flows through both arguments."""
    return ((autoencoder.reconstruct(x) - x) ** 2).mean(dim=(1, 2, 3))


class ImpressLoss:
    """The paper's two terms, and two that it lacks; each (B,), with their weights.

    w_c * mean((V(x) - x)^2) + alpha * max(LPIPS(x, x_adv) - delta, 0)
        + fidelity * mean((x - x_adv)^2) + smoothness * TV(x); the paper's weights are 1, alpha, 0, 0.

    Another measure may stand for the consistency, and another distance from x_adv for LPIPS; both map x to (B,).
    A term of weight 0 is left out, but for the consistency: it is the measure of the method, so without a weight it
    is still watched, without gradient and at every tenth call only. The features of x_adv are computed once.
    """

    def __init__(
        self, autoencoder: Autoencoder, perceptual: PerceptualDistance, x_adv: Tensor, *, alpha: float, delta: float,
        consistency_weight: float = 1.0, fidelity: float = 0.0, smoothness: float = 0.0,
        consistency_term: Callable[[Tensor], Tensor] | None = None,
        similarity_term: Callable[[Tensor], Tensor] | None = None,
    ) -> None:  # fmt: skip
        import torch

        self.perceptual, self.x_adv, self.delta = perceptual, x_adv, delta
        self.weights: Mapping[str, float] = {
            "consistency": consistency_weight, "similarity": alpha, "fidelity": fidelity, "smoothness": smoothness,
        }  # fmt: skip
        self._consistency = consistency_term or (lambda x: consistency(x, autoencoder))
        self._other_distance = similarity_term  # not its own method: that would be a cycle, which keeps x_adv for long
        self._watched: Tensor | None = None
        self._calls = 0
        if similarity_term is None:
            with torch.no_grad():
                self.reference = perceptual.features(x_adv)

    def __call__(self, x: Tensor) -> Terms:
        from impress_ui.methods.objectives import excess, total_variation

        terms: dict[str, Callable[[], Tensor]] = {
            "consistency": lambda: self._consistency(x),
            "similarity": lambda: excess((self._other_distance or self._lpips)(x), self.delta),
            "fidelity": lambda: ((x - self.x_adv) ** 2).mean(dim=(1, 2, 3)),
            "smoothness": lambda: total_variation(x),
        }
        weighted = {name: term() for name, term in terms.items() if self.weights[name]}
        return weighted if self.weights["consistency"] else {"consistency": self._watch(x), **weighted}

    def _lpips(self, x: Tensor) -> Tensor:
        return self.perceptual.between(self.perceptual.features(x), self.reference)

    def _watch(self, x: Tensor) -> Tensor:
        import torch

        if self._watched is None or self._calls % WATCH_EVERY == 0:
            with torch.no_grad():
                self._watched = self._consistency(x)
        self._calls += 1
        return self._watched


def impress(x_adv: Tensor, settings: PurifySettings, tools: Tools) -> Iterator[Step]:
    """Make pictures x_adv (B, 3, H, W) in [-1, 1] agree with their reconstruction while they stay close to themselves.

    Yields:
        ``Step``, one an iterate; the last one's ``result`` is the purified picture, not yet in 8 bits.
    """
    import torch

    from impress_ui.methods import optimise as loop
    from impress_ui.methods.terms import blended, decoded, finished, impress_loss_of, start_of
    from impress_ui.methods.trust import NOTHING_FOUND, trust_region

    autoencoder, mask = tools.autoencoder, tools.mask
    region = trust_region(x_adv, settings, mask)
    if region is None:
        yield loop.Step(0, 0, {}, x_adv, x_adv, note=NOTHING_FOUND)
        return
    allowed = loop.within_mask(region, x_adv, mask)
    start = start_of(x_adv, settings)
    if settings.start_noise:  # as published, the noisy start is not clamped; only the steps after it are
        noise = torch.randn(x_adv.shape, generator=torch.Generator().manual_seed(tools.seed)).to(x_adv)
        start = start + settings.start_noise * noise
    start = loop.within_mask(loop.identity, x_adv, mask)(start)
    variable, constraint, render = start, allowed, loop.identity
    if settings.variable == "latent":
        with torch.no_grad():
            variable = autoencoder.to_scaled(autoencoder.encode(start))  # unit deviation, as Adam likes it
        constraint, render = loop.identity, decoded(autoencoder, x_adv, mask)
    objective = impress_loss_of(x_adv, settings, autoencoder)
    stepper = loop.AdamStepper(settings.learning_rate, eps=settings.adam_eps)
    for step in loop.optimise(
        variable, objective, constraint, stepper, settings.steps,
        render=render, keep_best=settings.keep_best, patience=settings.patience, should_stop=tools.should_stop,
    ):  # fmt: skip
        if step.result is not None:
            step.result = allowed(blended(finished(allowed(step.result), settings), x_adv, settings))
        yield step
