"""The ways between tensors and the libraries' filters, and the unsharp mask among IMPRESS's last touches."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from skimage import filters
from torch import Tensor

from impress_ui.pictures.images import to_images, to_tensor


def unsharp_mask(x: Tensor, amount: float) -> Tensor:
    """x sharpened within a radius of one pixel."""
    # Not channel_axis=-1: scikit-image then takes rows for channels and leaves the rest unwritten.
    return through_arrays(x, lambda array: filters.unsharp_mask(array, 1, amount, channel_axis=2))


def through_arrays(x: Tensor, change: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """x after a scikit-image function on each picture as (H, W, 3) floats in [0, 1]."""
    unit = ((x.detach().float().cpu() + 1) / 2).permute(0, 2, 3, 1).numpy()
    changed = np.stack([change(array) for array in unit]).astype(np.float32)
    return torch.from_numpy(changed).permute(0, 3, 1, 2).contiguous().to(x.device) * 2 - 1


def through_pictures(x: Tensor, change: Callable[[Image.Image], Image.Image]) -> Tensor:
    """x after a Pillow function on each picture in 8 bits."""
    return to_tensor([change(image) for image in to_images(x)], device=str(x.device))


def through_format(x: Tensor, name: str, quality: int) -> Tensor:
    """x as a picture file keeps it: Pillow's encoder of that name at the quality, with its own other defaults."""

    def save(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, format=name, quality=quality)
        return Image.open(buffer).convert("RGB")

    return through_pictures(x, save)
