"""The classical purifiers, each a call of Pillow or scikit-image. All take x (B, 3, H, W) in [-1, 1]."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from skimage import filters
from skimage.morphology import disk
from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_tv_chambolle
from skimage.util import random_noise
from torch import Tensor

from impress_ui.pictures.images import to_images, to_tensor


def jpeg(x: Tensor, quality: int) -> Tensor:
    """x after Pillow's JPEG at the quality, with its default chroma subsampling."""

    def save(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, format="JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return _through_pictures(x, save)


def down_and_up(x: Tensor, factor: float) -> Tensor:
    """x shrunk by the factor and enlarged again, both with Pillow's Lanczos filter."""

    def resize(image: Image.Image) -> Image.Image:
        small = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        return image.resize(small, Image.Resampling.LANCZOS).resize(image.size, Image.Resampling.LANCZOS)

    return _through_pictures(x, resize)


def crop_and_resize(x: Tensor, share: float) -> Tensor:
    """The middle of x, that share of each side, enlarged again with Pillow's bicubic filter, as Mist's tool does."""

    def crop(image: Image.Image) -> Image.Image:
        width, height = image.size
        left, top = width * (1 - share) / 2, height * (1 - share) / 2
        return image.resize(image.size, Image.Resampling.BICUBIC, box=(left, top, width - left, height - top))

    return _through_pictures(x, crop)


def palette(x: Tensor, colours: int) -> Tensor:
    """x in so many colours, chosen by Pillow's median cut."""
    return _through_pictures(x, lambda image: image.quantize(colours, dither=Image.Dither.NONE).convert("RGB"))


def gaussian_noise(x: Tensor, std: float, seed: int) -> Tensor:
    """x plus Gaussian noise of the deviation (in the [0, 1] range), clipped (scikit-image's random_noise)."""
    return through_arrays(x, lambda array: random_noise(array, mode="gaussian", var=std**2, clip=True, rng=seed))


def blur(x: Tensor, sigma: float) -> Tensor:
    """x under a Gaussian of the deviation in pixels."""
    return through_arrays(x, lambda array: filters.gaussian(array, sigma, channel_axis=2))


def median(x: Tensor, radius: int) -> Tensor:
    """Each channel's median within a disk."""
    return through_arrays(x, lambda array: filters.median(array, disk(radius)[..., None]))


def bilateral(x: Tensor, colour: float, space: float) -> Tensor:
    """Tomasi and Manduchi's filter (1998): averages near pixels of like colour."""
    return through_arrays(
        x,
        lambda array: denoise_bilateral(array, sigma_color=colour, sigma_spatial=space, mode="edge", channel_axis=-1),
    )


def total_variation(x: Tensor, weight: float) -> Tensor:
    """Chambolle's (2004) total variation denoising."""
    return through_arrays(x, lambda array: denoise_tv_chambolle(array, weight=weight, channel_axis=-1))


def non_local_means(x: Tensor, cut_off: float) -> Tensor:
    """Buades, Coll and Morel's (2005) non-local means."""

    def denoise(array: np.ndarray) -> np.ndarray:
        return denoise_nl_means(
            array, h=cut_off, sigma=cut_off, patch_size=5, patch_distance=6, fast_mode=True, channel_axis=-1
        )

    return through_arrays(x, denoise)


def unsharp_mask(x: Tensor, amount: float) -> Tensor:
    """x sharpened within a radius of one pixel."""
    # Not channel_axis=-1: scikit-image then takes rows for channels and leaves the rest unwritten.
    return through_arrays(x, lambda array: filters.unsharp_mask(array, 1, amount, channel_axis=2))


def through_arrays(x: Tensor, change: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """x after a scikit-image function on each picture as (H, W, 3) floats in [0, 1]."""
    unit = ((x.detach().float().cpu() + 1) / 2).permute(0, 2, 3, 1).numpy()
    changed = np.stack([change(array) for array in unit]).astype(np.float32)
    return torch.from_numpy(changed).permute(0, 3, 1, 2).contiguous().to(x.device) * 2 - 1


def _through_pictures(x: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    return to_tensor([change(image) for image in to_images(x)], device=str(x.device))
