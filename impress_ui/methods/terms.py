"""What may be exchanged in IMPRESS: its terms, the projection that keeps them apart, and the last touches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from impress_ui.methods.filters import unsharp_mask
from impress_ui.methods.impress import ImpressLoss
from impress_ui.methods.objectives import squared
from impress_ui.methods.optimise import Objective, Terms, identity, sum_terms, within_mask
from impress_ui.methods.purifiers.jpeg import jpeg
from impress_ui.methods.purifiers.learned import learned
from impress_ui.methods.purifiers.non_local_means import non_local_means
from impress_ui.models.autoencoder import Autoencoder
from impress_ui.models.perceptual import PerceptualDistance, load_perceptual
from impress_ui.settings import ConsistencyTerm, PurifySettings, SimilarityTerm

Term = Callable[[Tensor], Tensor]
CHARBONNIER_EPS = 1e-3
# What drives the result away from the protected picture, and what holds it there.
DRIVING, HOLDING = ("consistency",), ("similarity", "fidelity")


def impress_loss_of(x_adv: Tensor, settings: PurifySettings, autoencoder: Autoencoder) -> Objective:
    """IMPRESS's loss with the terms that the settings name, behind the projection where they ask for it."""
    perceptual = load_perceptual(autoencoder.similarity_network(settings.similarity_network), autoencoder.device)
    loss = ImpressLoss(
        autoencoder,
        perceptual,
        x_adv,
        alpha=settings.alpha,
        delta=settings.delta,
        consistency_weight=settings.consistency_weight,
        fidelity=settings.fidelity_weight,
        smoothness=settings.smoothness,
        consistency_term=consistency_term(settings.consistency_term, autoencoder, perceptual),
        similarity_term=similarity_term(settings.similarity_term, x_adv),
    )
    return OrthogonalProjection(loss) if settings.optimiser == "projection" else loss


def start_of(x_adv: Tensor, settings: PurifySettings) -> Tensor:
    """The picture that the optimisation starts from, before its noise: x_adv (B, 3, H, W) itself or made of it."""
    if settings.start == "jpeg":
        return jpeg(x_adv, settings.start_quality)
    return learned(x_adv, passes=1) if settings.start == "learned" else x_adv


def decoded(autoencoder: Autoencoder, x_adv: Tensor, mask: Tensor | None) -> Term:
    """The picture of a scaled latent, of x_adv's size, with x_adv itself outside the mask."""
    keep = within_mask(identity, x_adv, mask)
    height, width = x_adv.shape[-2:]
    return lambda latent: keep(autoencoder.decode(autoencoder.to_unscaled(latent))[..., :height, :width])


def finished(x: Tensor, settings: PurifySettings) -> Tensor:
    """The optimised picture after its last touches.

    What the decoder draws is smoother than a photograph, and the encoder takes smoothness for a lack of contrast,
    in the coarse structure of the latent too. An unsharp mask and the grain of a good JPEG undo most of that.
    """
    if settings.polish:
        x = non_local_means(x, settings.polish)
    if settings.sharpen:
        x = unsharp_mask(x, settings.sharpen)
    return jpeg(x, settings.finish_quality) if settings.finish_quality else x


def blended(x: Tensor, x_adv: Tensor, settings: PurifySettings) -> Tensor:
    """The result x mixed with what the learned purifier makes of the protected pictures x_adv, by ``learned_share``.

    The two err in different ways, the decoder by what it blurs and the network by what it overlooks, so that their mean
    is nearer to the original than either, as an ensemble's is.
    """
    share = settings.learned_share
    return torch.lerp(x, learned(x_adv, passes=1), share) if share else x


def charbonnier(x: Tensor, y: Tensor) -> Tensor:
    """mean(sqrt((x - y)^2 + eps^2)) - eps with eps 1e-3, (B,): an absolute difference that is smooth at 0."""
    return (((x - y) ** 2 + CHARBONNIER_EPS**2).sqrt() - CHARBONNIER_EPS).mean(dim=(1, 2, 3))


def consistency_term(name: ConsistencyTerm, autoencoder: Autoencoder, perceptual: PerceptualDistance) -> Term | None:
    """How far x is from V(x); the gradient flows through both. 'latent' is the mean squared difference of E(V(x))
    and E(x) in units of the latents' deviation, so that weights carry over between checkpoints; None for the mean
    squared difference, which the objective has."""

    def latent(x: Tensor) -> Tensor:
        z = autoencoder.encode(x)
        again = autoencoder.encode(autoencoder.decode(z)[..., : x.shape[-2], : x.shape[-1]])
        return squared(autoencoder.to_scaled(again), autoencoder.to_scaled(z))

    terms: dict[ConsistencyTerm, Term | None] = {
        "mse": None,
        "charbonnier": lambda x: charbonnier(autoencoder.reconstruct(x), x),
        "lpips": lambda x: perceptual(autoencoder.reconstruct(x), x),
        "latent": latent,
    }
    return terms[name]


def similarity_term(name: SimilarityTerm, x_adv: Tensor) -> Term | None:
    """How far x is from the protected pictures; None for LPIPS, which the objective has."""
    terms: dict[SimilarityTerm, Term | None] = {
        "lpips": None,
        "mse": lambda x: squared(x, x_adv),
        "charbonnier": lambda x: charbonnier(x, x_adv),
    }
    return terms[name]


class OrthogonalProjection:
    """An objective whose consistency no longer opposes what holds the result to the protected picture.

    The paper leaves better optimisation than one weighted sum open. Here, as in orthogonal projected gradient descent
    (Bryniarski et al., arXiv 2106.15023), the two are taken apart: with g_c the consistency's gradient at the picture
    and g_s that of the weighted similarity and fidelity, of each picture, g_c loses its part along g_s where
    <g_c, g_s> < 0:

        g_c - <g_c, g_s> / ||g_s||^2 g_s

    so that a step makes the picture more consistent without, to first order, undoing a step towards the protected
    picture. Values are the objective's own; only the gradient differs, so any stepper and any variable can use it.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.weights: Mapping[str, float] = objective.weights

    def __call__(self, x: Tensor) -> Terms:
        if not torch.is_grad_enabled() or not x.requires_grad or not self.weights["consistency"]:
            return self.objective(x)
        picture = x.detach().requires_grad_()
        terms = self.objective(picture)
        driving = _gradient(terms, self.weights, DRIVING, picture)
        holding = _gradient(terms, self.weights, HOLDING, picture)
        rest = _gradient(terms, self.weights, [name for name in terms if name not in (*DRIVING, *HOLDING)], picture)
        gradient = project_out(driving, holding) + holding + rest
        detached = {name: value.detach() for name, value in terms.items()}
        # Zero in value; its gradient with respect to x is the one just made, and it stands in for the whole sum's.
        push = ((x - picture.detach()) * gradient).flatten(1).sum(dim=1)
        return {**detached, "consistency": detached["consistency"] + push / self.weights["consistency"]}


def project_out(driving: Tensor, holding: Tensor) -> Tensor:
    """Each picture's driving gradient without its part along the holding one, where the two are opposed."""
    inner = (driving * holding).flatten(1).sum(dim=1)
    length = (holding**2).flatten(1).sum(dim=1).clamp(min=1e-30)
    return driving - (inner.clamp(max=0) / length).view(-1, 1, 1, 1) * holding


def _gradient(terms: Terms, weights: Mapping[str, float], names: object, x: Tensor) -> Tensor:
    chosen = {name: value for name, value in terms.items() if name in names and value.requires_grad}  # type: ignore[operator]
    if not chosen:
        return torch.zeros_like(x)
    return torch.autograd.grad(sum_terms(chosen, weights).sum(), x, retain_graph=True)[0]
