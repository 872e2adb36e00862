"""IMPRESS (Cao et al., arXiv 2310.19248) and the controls that it must beat."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image
from skimage.filters import unsharp_mask
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle
from skimage.util import random_noise
from torch import Tensor

from impress_ui.core.images import LEVELS_PER_UNIT, quantise, to_images, to_tensor
from impress_ui.core.models import Autoencoder
from impress_ui.core.objectives import ImpressLoss
from impress_ui.core.optimise import (
    AdamStepper,
    ShouldStop,
    Step,
    identity,
    linf_ball,
    never,
    optimise,
    pixel_range,
    within_mask,
)
from impress_ui.core.perceptual import load_perceptual
from impress_ui.settings import PurifySettings


def purify(
    x_adv: Tensor,
    settings: PurifySettings,
    autoencoder: Autoencoder,
    *,
    seed: int = 0,
    mask: Tensor | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """Purify protected pictures x_adv (B, 3, H, W) in [-1, 1] with IMPRESS or a control.

    Args:
        seed: of the start noise or the noise control.
        mask: (1 or B, 1, H, W), 1 where pixels may change; None for everywhere.

    Yields:
        ``Step``; the last one's ``result`` is rounded to 8 bits. A control is a single step without losses.
    """
    if settings.method == "impress":
        steps = _impress(x_adv, settings, autoencoder, seed, mask, should_stop)
    else:
        result = within_mask(identity, x_adv, mask)(_control(x_adv, settings, autoencoder, seed))
        steps = iter([Step(0, 0, {}, result, result)])
    for step in steps:
        if step.result is not None:
            step.result = quantise(step.result)
        yield step


def _impress(
    x_adv: Tensor,
    settings: PurifySettings,
    autoencoder: Autoencoder,
    seed: int,
    mask: Tensor | None,
    should_stop: ShouldStop,
) -> Iterator[Step]:
    allowed = linf_ball(x_adv, settings.trust_radius / LEVELS_PER_UNIT) if settings.trust_radius else pixel_range
    allowed = within_mask(allowed, x_adv, mask)
    start = x_adv if settings.start == "protected" else jpeg(x_adv, settings.start_quality)
    if settings.start_noise:
        # As published, the noisy start is not clamped; only the steps after it are.
        start = start + settings.start_noise * _normal(x_adv, seed)
    start = within_mask(identity, x_adv, mask)(start)
    objective = ImpressLoss(
        autoencoder,
        load_perceptual(autoencoder.similarity_network(settings.similarity_network), autoencoder.device),
        x_adv,
        alpha=settings.alpha,
        delta=settings.delta,
        consistency=settings.consistency_weight,
        fidelity=settings.fidelity_weight,
        smoothness=settings.smoothness,
    )
    stepper = AdamStepper(settings.learning_rate, eps=settings.adam_eps)
    variable, constraint, render = start, allowed, identity
    if settings.variable == "latent":
        with torch.no_grad():
            variable = autoencoder.to_scaled(autoencoder.encode(start))  # unit deviation, as Adam likes it
        constraint, render = identity, _decoded(autoencoder, x_adv, mask)
    for step in optimise(
        variable, objective, constraint, stepper, settings.steps,
        render=render, keep_best=settings.keep_best, patience=settings.patience, should_stop=should_stop,
    ):  # fmt: skip
        if step.result is not None:
            step.result = allowed(_finished(allowed(step.result), settings))
        yield step


def _finished(x: Tensor, settings: PurifySettings) -> Tensor:
    """The optimised picture after its last touches.

    What the decoder draws is smoother than a photograph, and the encoder takes smoothness for a lack of contrast,
    in the coarse structure of the latent too. An unsharp mask and the grain of a good JPEG undo most of that.
    """
    if settings.polish:
        x = _through_arrays(x, lambda array: _non_local_means(array, settings.polish))
    if settings.sharpen:
        # Not channel_axis=-1: scikit-image then takes rows for channels and leaves the rest unwritten.
        x = _through_arrays(x, lambda array: unsharp_mask(array, 1, settings.sharpen, channel_axis=2))
    return jpeg(x, settings.finish_quality) if settings.finish_quality else x


def _decoded(autoencoder: Autoencoder, x_adv: Tensor, mask: Tensor | None) -> Callable[[Tensor], Tensor]:
    """The picture of a scaled latent, of x_adv's size, with x_adv itself outside the mask."""
    keep = within_mask(identity, x_adv, mask)
    height, width = x_adv.shape[-2:]
    return lambda latent: keep(autoencoder.decode(autoencoder.to_unscaled(latent))[..., :height, :width])


def _control(x: Tensor, settings: PurifySettings, autoencoder: Autoencoder, seed: int) -> Tensor:
    match settings.method:
        case "round-trip":
            with torch.no_grad():
                for _ in range(settings.round_trips):
                    x = pixel_range(autoencoder.reconstruct(x))
            return x
        case "jpeg":
            return jpeg(x, settings.jpeg_quality)
        case "noise":
            return gaussian_noise(x, settings.noise_std, seed)
        case "resize":
            return down_and_up(x, settings.resize_factor)
        case "total-variation":
            return _through_arrays(
                x, lambda a: denoise_tv_chambolle(a, weight=settings.denoise_weight, channel_axis=-1)
            )
        case "non-local-means":
            return _through_arrays(x, lambda a: _non_local_means(a, settings.denoise_weight))
    raise AssertionError(settings.method)


def jpeg(x: Tensor, quality: int) -> Tensor:
    """x (B, 3, H, W) in [-1, 1] after Pillow's JPEG at the quality, with its default chroma subsampling."""
    return _through_pictures(x, lambda image: _jpeg_picture(image, quality))


def _jpeg_picture(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def down_and_up(x: Tensor, factor: float) -> Tensor:
    """x shrunk by the factor and enlarged again, both with Pillow's Lanczos filter."""

    def resize(image: Image.Image) -> Image.Image:
        small = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        return image.resize(small, Image.Resampling.LANCZOS).resize(image.size, Image.Resampling.LANCZOS)

    return _through_pictures(x, resize)


def gaussian_noise(x: Tensor, std: float, seed: int) -> Tensor:
    """x plus Gaussian noise of the deviation (in the [0, 1] range), clipped (scikit-image's random_noise)."""
    return _through_arrays(x, lambda array: random_noise(array, mode="gaussian", var=std**2, clip=True, rng=seed))


def _non_local_means(array: np.ndarray, cut_off: float) -> np.ndarray:
    return denoise_nl_means(
        array, h=cut_off, sigma=cut_off, patch_size=5, patch_distance=6, fast_mode=True, channel_axis=-1
    )


def _normal(x: Tensor, seed: int) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)


def _through_pictures(x: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    return to_tensor([change(image) for image in to_images(x)], device=str(x.device))


def _through_arrays(x: Tensor, change: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """x after a scikit-image function on each picture as (H, W, 3) floats in [0, 1]."""
    unit = ((x.detach().float().cpu() + 1) / 2).permute(0, 2, 3, 1).numpy()
    changed = np.stack([change(array) for array in unit]).astype(np.float32)
    return torch.from_numpy(changed).permute(0, 3, 1, 2).contiguous().to(x.device) * 2 - 1
