"""Which objective a method has: the mathematics to the table of words in ``settings/protections.py``."""

from __future__ import annotations

from collections.abc import Callable

from impress_ui.methods.attacks.adaptive import adaptive
from impress_ui.methods.attacks.denoising import PUBLISHED_LATENTS, DenoisingError, Texture
from impress_ui.methods.attacks.diffusion_attack import EditDistance
from impress_ui.methods.attacks.glaze import PerceptualExcess, StyleDistance
from impress_ui.methods.attacks.setup import Setup, Sum
from impress_ui.methods.attacks.surrogate import SurrogateError
from impress_ui.methods.attacks.targets import repainted, target_latent, target_picture
from impress_ui.methods.objectives import LatentDistance
from impress_ui.methods.optimise import Objective
from impress_ui.models.perceptual import load_perceptual
from impress_ui.settings import ABOUT, ProtectMethod, ProtectSettings

# Of those, the methods that look at the autoencoder alone.
AUTOENCODER_ONLY = {"photoguard-encoder", "mist-textural"}


def needs_model(settings: ProtectSettings, *, target: bool) -> bool:
    """Whether the whole diffusion model is needed; GLAZE and Nightshade can do without, with a target picture."""
    return settings.method not in AUTOENCODER_ONLY and not (ABOUT[settings.method].ball == "lpips" and target)


def objective_of(setup: Setup) -> Objective:
    """What a run minimises: the method's objective, made adaptive if so wanted, and where LPIPS bounds it, that."""
    settings = setup.settings
    attack = adaptive(BUILDERS[settings.method](setup), setup)
    if ABOUT[settings.method].ball != "lpips":
        return attack
    network = load_perceptual(setup.autoencoder.similarity_network("auto"), setup.autoencoder.device)
    budget, weight = settings.perceptual_budget, settings.perceptual_weight
    # Not inside the adaptive part: the budget is the protected picture's, whatever is made of it.
    return Sum([attack, PerceptualExcess(network, setup.x, budget=budget, weight=weight)])


def _latent_distance(setup: Setup) -> Objective:
    return LatentDistance(setup.autoencoder, target_latent(setup))


def _edit_distance(setup: Setup) -> Objective:
    target = target_picture(setup)
    return EditDistance(setup.whole_model, setup.settings, target, seed=setup.seed + 1, keep=setup.mask)


def _style_distance(setup: Setup) -> Objective:
    target = setup.target
    if target is None:
        target = repainted(setup.x, setup.settings, setup.whole_model, seed=setup.seed, should_stop=setup.should_stop)
    return StyleDistance(setup.autoencoder, target)


def _texture(setup: Setup) -> Texture:
    return Texture(setup.autoencoder, target_latent(setup))


def _fused(setup: Setup) -> Objective:
    error = DenoisingError(setup, weight=-setup.settings.fusion_rate / PUBLISHED_LATENTS)
    return Sum([_texture(setup), error])


def _distilled_with_target(setup: Setup) -> Objective:
    return Sum([_texture(setup), DenoisingError(setup, weight=setup.settings.target_rate, distilled=True)])


BUILDERS: dict[ProtectMethod, Callable[[Setup], Objective]] = {
    "photoguard-encoder": _latent_distance,
    "photoguard-diffusion": _edit_distance,
    "glaze": _style_distance,
    "nightshade": _style_distance,
    "advdm": lambda setup: DenoisingError(setup, weight=-1.0),
    "advdm-minus": lambda setup: DenoisingError(setup, weight=1.0),
    "mist-textural": _texture,
    "mist-fused": _fused,
    "sds-plus": lambda setup: DenoisingError(setup, weight=-1.0, distilled=True),
    "sds-minus": lambda setup: DenoisingError(setup, weight=1.0, distilled=True),
    "sdst-minus": _distilled_with_target,
    "aspl": SurrogateError,
}
