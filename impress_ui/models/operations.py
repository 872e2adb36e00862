"""How much work a checkpoint is: floating-point operations of its passes, counted on shapes that have no weights.

    operations(find_source("stable-diffusion-v1-5/stable-diffusion-v1-5"), (512, 512), denoiser=True).denoise

Products are counted, as PyTorch's own counter does: convolutions, matrices and attention. The rest is little beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from impress_ui.models.checkpoints import Source

TERA = 1e12
TOKENS = 77
GRID = 64  # sides are rounded up to it: every kind of checkpoint takes them
MOST_COUNTED = 64


@dataclass(frozen=True)
class Operations:
    """Of one forward pass over one picture, in units of 10^12 operations.

    Args:
        encode, decode: of the autoencoder's halves.
        denoise: of the denoiser without guidance; 0 where it was not asked for.
        gigabytes: of the weights of these in float32.
    """

    encode: float
    decode: float
    denoise: float
    gigabytes: float


_counted: dict[tuple[str, tuple[int, int], bool], Operations] = {}


def operations(source: Source, size: tuple[int, int], *, denoiser: bool) -> Operations:
    """The work that a picture of (width, height) is for a checkpoint; counted once for each size.

    Args:
        denoiser: count that too.

    Raises:
        UserError: the checkpoint is not to be had, or has no denoiser.
    """
    width, height = (max(GRID, -(-side // GRID) * GRID) for side in size)
    key = (source.key, (width, height), denoiser)
    known = _counted.get(key)  # not looked up again below: another thread may have cleared the table by then
    if known is None:
        known = _count(source, height, width, denoiser)
        if len(_counted) >= MOST_COUNTED:  # a page may run for months, and its visitors' pictures have any size
            _counted.clear()
        _counted[key] = known
    return known


@torch.no_grad()
def _count(source: Source, height: int, width: int, denoiser: bool) -> Operations:
    import diffusers

    from impress_ui.models.vgg_autoencoder import VGGAutoencoder

    part = source.part("vae")
    classes = {"AutoencoderKL": diffusers.AutoencoderKL, "VGGAutoencoder": VGGAutoencoder}
    with torch.device("meta"):
        vae = classes[part.class_name].from_config(part.config)
        x = torch.empty(1, 3, height, width)
        encode, z = counted(lambda: vae.encode(x).latent_dist.mode())
        decode, _ = counted(lambda: vae.decode(z).sample)
        modules, denoise = [vae], 0.0
        if denoiser:
            unet = diffusers.UNet2DConditionModel.from_config(source.part("unet").config)
            latent = torch.empty(1, unet.config.in_channels, *z.shape[-2:])
            denoise, _ = counted(lambda: unet(latent, 500, **blank_conditions(unet, latent)).sample)
            modules.append(unet)
    weights = sum(p.numel() for module in modules for p in module.parameters())
    return Operations(encode, decode, denoise, 4 * weights / 1e9)


def counted(work: Any) -> tuple[float, Any]:
    """(operations in units of 10^12, what it returns) of a function without arguments."""
    counter = FlopCounterMode(display=False)
    with counter:
        made = work()
    return counter.get_total_flops() / TERA, made


def blank_conditions(unet: Any, latent: Tensor) -> dict[str, Any]:
    """What a denoiser takes beside latents (B, C, h, w) and a time, all zero: for counting and timing alone."""
    config, batch = unet.config, len(latent)
    options: dict[str, Any] = {"encoder_hidden_states": latent.new_zeros(batch, TOKENS, config.cross_attention_dim)}
    if config.addition_embed_type == "text_time":
        width = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        more = {"text_embeds": latent.new_zeros(batch, width), "time_ids": latent.new_zeros(batch, 6)}
        options["added_cond_kwargs"] = more
    return options
