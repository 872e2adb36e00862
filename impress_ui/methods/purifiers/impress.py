"""IMPRESS's fields, alpha and Delta_L first among them; its algorithm stands in ``methods/impress.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from impress_ui.fields import Settings, knob
from impress_ui.methods.impress import impress
from impress_ui.methods.purifiers.purifier import Purifier

if TYPE_CHECKING:
    from impress_ui.settings import PurifySettings

LpipsNetwork = Literal["alex", "vgg"]
SimilarityNetwork = Literal["auto", "alex", "vgg"]
Recipe = Literal["fast", "fast-style", "careful", "paper", "paper-editing"]
Start = Literal["protected", "jpeg", "learned"]
Variable = Literal["pixels", "latent"]
ConsistencyTerm = Literal["mse", "charbonnier", "lpips", "latent"]
SimilarityTerm = Literal["lpips", "mse", "charbonnier"]
Optimiser = Literal["adam", "projection"]


class ImpressSettings(Settings):
    """IMPRESS (arXiv 2310.19248). A recipe is a set of defaults for these fields; see ``methods/impress.py``."""

    recipe: Recipe = knob(
        "fast",
        "'fast' is ours, 'fast-style' ours for GLAZE, and 'careful' ours for a budget that is not known; 'paper' and "
        "'paper-editing' are the published code's settings for style and editing.",
        label="Recipe",
    )
    alpha: float = knob(
        0.1,
        "Weight of the similarity term: how strongly the result is held to the protected picture.",
        symbol="α",
        label="Similarity weight",
        step=0.01,
        ge=0,
        le=10,
    )
    delta: float = knob(
        0.5,
        "LPIPS distance from the protected picture that costs nothing.",
        symbol="Δ_L",
        label="Similarity budget",
        step=0.01,
        ge=0,
        le=1,
    )
    steps: int = knob(40, "Optimisation steps.", label="Purify steps", step=1, ge=1, le=5000)
    learning_rate: float = knob(
        0.05,
        "Adam's learning rate: in units of the [-1, 1] pixel range, or of the latents' deviation.",
        symbol="η",
        label="Learning rate",
        step=0.001,
        ge=1e-5,
        le=0.5,
    )
    start_noise: float = knob(
        0.0,
        "Deviation of the Gaussian noise added before the first step, in the [-1, 1] pixel range.",
        symbol="σ",
        label="Start noise",
        step=0.01,
        ge=0,
        le=0.5,
    )
    variable: Variable = knob(
        "latent",
        "What is optimised: 'pixels' as published, or a latent whose decoded picture is the result, which "
        "makes it consistent by construction.",
        label="Variable",
    )
    consistency_weight: float = knob(
        0.0,
        "Weight of the paper's consistency term, which the latent variable can do without.",
        label="Consistency weight",
        step=0.1,
        ge=0,
        le=10,
    )
    fidelity_weight: float = knob(
        1.0,
        "Weight of the squared pixel difference from the protected picture, which the published loss lacks.",
        symbol="φ",
        label="Fidelity weight",
        step=0.1,
        ge=0,
        le=10,
    )
    smoothness: float = knob(
        0.02,
        "Weight of the total variation of the pixels, which the published loss lacks.",
        symbol="τ",
        label="Smoothness weight",
        step=0.005,
        ge=0,
        le=1,
    )
    trust_radius: int = knob(
        24,
        "Most that any pixel of the result may differ from the protected picture, in grey levels; 0 is no limit.",
        label="Trust radius",
        step=1,
        ge=0,
        le=255,
    )
    radius_from_found: bool = knob(
        False,
        "Set the trust radius for each picture by how much the learned purifier finds in it, up to the radius above; "
        "where it finds nothing, the picture is left as it is.",
        label="Radius by what is found",
    )
    polish: float = knob(
        0.01,
        "Cut-off of a light non-local-means filter on the result, in the [0, 1] pixel range; 0 leaves it out.",
        label="Polish",
        step=0.005,
        ge=0,
        le=0.1,
    )
    sharpen: float = knob(
        0.8,
        "Amount of an unsharp mask (radius 1 pixel) on the result: gives back what the decoder blurs; 0 leaves it out.",
        label="Sharpen",
        step=0.1,
        ge=0,
        le=2,
    )
    finish_quality: int = knob(
        80,
        "Quality of a JPEG on the result, after the polish: the encoder misses the fine grain of a photograph, and "
        "this brings some; 0 leaves it out.",
        label="Finish quality",
        step=1,
        ge=0,
        le=100,
    )
    learned_share: float = knob(
        0.0,
        "Share of the learned purifier's picture in the result, the rest being IMPRESS's own; 0 leaves it out.",
        label="Learned share",
        step=0.05,
        ge=0,
        le=1,
    )
    similarity_network: SimilarityNetwork = knob(
        "auto",
        "Network of LPIPS in the similarity and the consistency. 'auto' is AlexNet on the embedded checkpoint, whose "
        "encoder shares VGG16's features, and the paper's VGG16 elsewhere.",
        label="Similarity network",
    )
    adam_eps: float = knob(
        1e-8,
        "Adam's epsilon. The published 1e-5 lies above the gradients and turns Adam into momentum descent.",
        label="Adam epsilon",
        ge=1e-12,
        le=1e-2,
    )
    start: Start = knob(
        "jpeg",
        "Where the optimisation starts: from the protected picture, a JPEG of it, or what the learned purifier makes "
        "of it.",
        label="Start from",
    )
    start_quality: int = knob(
        40, "Quality of that JPEG.", label="Start quality", step=1, ge=1, le=100, needs="start=jpeg"
    )
    keep_best: bool = knob(True, "Return the iterate with the lowest loss rather than the last one.")
    patience: int = knob(
        0, "Stop once the loss has not improved for this many steps; 0 never does.", step=1, ge=0, le=1000
    )
    consistency_term: ConsistencyTerm = knob(
        "mse",
        "How a picture and its reconstruction are compared: squared difference as published, Charbonnier, LPIPS, or "
        "in latent space, E(V(x)) against E(x).",
        label="Consistency term",
        needs="consistency_weight",
    )
    similarity_term: SimilarityTerm = knob(
        "lpips",
        "How the result is compared with the protected picture before its budget is taken off: LPIPS as published, "
        "squared difference, or Charbonnier; the budget is in that term's unit.",
        label="Similarity term",
    )
    optimiser: Optimiser = knob(
        "adam",
        "Adam as published; or Adam after an orthogonal projection, which takes out of the consistency's gradient "
        "what works against the similarity and the fidelity. Without a consistency weight they are the same.",
        label="Optimiser",
    )


def pace(settings: PurifySettings) -> str:
    """A step costs by the variable and by the terms that are looked at."""
    weighted = settings.consistency_term if settings.consistency_weight else "watched"
    terms = ("" if weighted == "watched" else f", {weighted}") + f", {settings.similarity_term}"
    # A run that finds nothing is over at once, which says nothing about the others.
    found = ", radius by what is found" if settings.radius_from_found else ""
    return f"impress, {settings.variable}" + ("" if terms == ", lpips" else terms) + found


IMPRESS = Purifier(
    "impress",
    "IMPRESS",
    ImpressSettings,
    impress,
    steps=lambda settings: settings.steps,
    overhead=1,
    pace=pace,
    probe=lambda _: {"steps": 1},
    learned=lambda s: s.start == "learned" or s.learned_share > 0 or s.radius_from_found,
)
