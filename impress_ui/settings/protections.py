"""What each protection is, in words and in fields: the page's picker and docs/protections.md are made from this table.

The mathematics stands in ``methods/protections``; a test holds that the two know the same methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ball = Literal["norm", "lpips"]

_ADAPTIVE = ("adaptive", "beta", "unrolled_steps")
_NORM = ("steps", "budget", "step_size", "random_start", "norm", "l2_radius", "l2_step", *_ADAPTIVE)
_LPIPS = (
    "steps", "random_start", "style_strength", "style_guidance", "perceptual_budget", "perceptual_weight",
    "glaze_rate", "cap", *_ADAPTIVE,
)  # fmt: skip
_DENOISER = ("attacked_prompt", "repetitions")


@dataclass(frozen=True)
class About:
    """One protection.

    Attributes:
        objective: what is minimised (min) or maximised (max), with z = the scaled latent of x.
        ball: what bounds the change: an L-infinity or L2 ball, or LPIPS by a hinge in the objective.
        fields: the settings that it has.
        decays: whether a sign step shrinks over the run, as PhotoGuard's does.
        note: where ours is not the published code.
    """

    label: str
    objective: str
    ball: Ball
    source: str
    fields: tuple[str, ...]
    decays: bool = False
    note: str = ""

    @property
    def constraint(self) -> str:
        bound = "L∞ or L2 ball" if self.ball == "norm" else "[-1, 1]; on request an L∞ cap"
        return f"{bound}, mask"

    @property
    def stepper(self) -> str:
        if self.ball == "lpips":
            return "Adam, constant rate"
        return f"sign{', decaying to 1/100' if self.decays else ''}; in the L2 ball steps of one length"

    @property
    def unit(self) -> str:
        return "grey levels of 255, or the L2 radius" if self.ball == "norm" else "LPIPS; the cap in grey levels"


ABOUT: dict[str, About] = {
    "photoguard-encoder": About(
        "PhotoGuard, encoder attack",
        "min ‖E(x) − z_target‖₂, unscaled latents",
        "norm",
        "Salman et al., arXiv 2302.06588",
        ("target", *_NORM),
        decays=True,
    ),
    "photoguard-diffusion": About(
        "PhotoGuard, diffusion attack",
        "min ‖edit(x) − target‖₂, through the sampler",
        "norm",
        "Salman et al., arXiv 2302.06588",
        ("target", "attacked_strength", "attacked_steps", "attacked_guidance", *_DENOISER, *_NORM),
        decays=True,
        note="No guidance pass without a prompt: the published one mixes a prediction with itself.",
    ),
    "glaze": About(
        "GLAZE, towards another style",
        "min mean (E(x) − E(x_style))² + w · max(LPIPS − p, 0)",
        "lpips",
        "Shan et al., arXiv 2302.04222, as re-implemented by IMPRESS's authors",
        ("style", *_LPIPS),
        note="Posterior means instead of samples.",
    ),
    "nightshade": About(
        "Nightshade-like, towards another concept",
        "min mean (E(x) − E(x_concept))² + w · max(LPIPS − p, 0)",
        "lpips",
        "Shan et al., arXiv 2310.13828",
        ("concept", *_LPIPS),
        note="The target is the model's own picture of the concept, from the picture's latent at full strength.",
    ),
    "advdm": About(
        "AdvDM (Mist, semantic)",
        "max mean (ε_θ(z_t, t, c) − ε)²",
        "norm",
        "Liang et al., arXiv 2302.04578; Liang and Wu, arXiv 2305.12683",
        (*_DENOISER, *_NORM),
    ),
    "advdm-minus": About(
        "AdvDM(−), lowers the error",
        "min mean (ε_θ(z_t, t, c) − ε)²",
        "norm",
        "Xue et al., arXiv 2311.12832",
        (*_DENOISER, *_NORM),
    ),
    "mist-textural": About(
        "Mist, textural",
        "min mean (z − z_target)²",
        "norm",
        "Liang and Wu, arXiv 2305.12683",
        ("target", *_NORM),
        note="A pattern drawn here stands for MIST.png.",
    ),
    "mist-fused": About(
        "Mist, fused",
        "min mean (z − z_target)² − rate/16384 · mean (ε_θ(z_t, t, c) − ε)²",
        "norm",
        "Liang and Wu, arXiv 2305.12683",
        ("target", "fusion_rate", *_DENOISER, *_NORM),
        note="The published sum over a 512-pixel picture's 16384 latents as a mean, so that the rate fits every size.",
    ),
    "sds-plus": About(
        "SDS(+), raises the error",
        "max, by the gradient (dz/dx)ᵀ(ε_θ − ε): the denoiser is not differentiated",
        "norm",
        "Xue et al., arXiv 2311.12832",
        (*_DENOISER, *_NORM),
    ),
    "sds-minus": About(
        "SDS(−), lowers the error",
        "min, by the gradient (dz/dx)ᵀ(ε_θ − ε): the denoiser is not differentiated",
        "norm",
        "Xue et al., arXiv 2311.12832",
        (*_DENOISER, *_NORM),
    ),
    "sdst-minus": About(
        "SDST(−), with a target",
        "min mean (z − z_target)² + rate · (SDS's term)",
        "norm",
        "Xue et al., arXiv 2311.12832",
        ("target", "target_rate", *_DENOISER, *_NORM),
        note="A pattern drawn here is the target.",
    ),
    "aspl": About(
        "Anti-DreamBooth-like (ASPL)",
        "max mean (ε_θ'(z_t, t, c) − ε)², θ' trained on the pictures in turn with the attack",
        "norm",
        "Van Le et al., arXiv 2303.15433",
        ("surrogate_steps", "attack_steps", "surrogate_rate", *_DENOISER, *_NORM),
        note="The surrogate is a LoRA; no prior pictures and no training of the text encoder.",
    ),
}
