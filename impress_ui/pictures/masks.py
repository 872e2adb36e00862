"""Masks: opened as such, whatever a paint program or a labelling tool made of them, and laid over a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.pictures.colours import levels_of
from impress_ui.pictures.images import Picture, loaded

FEW = 8  # values of a picture that are labels rather than shades


def open_mask(path: str | Path, picture: Picture) -> Picture:
    """The mask of a picture: 0 or 255 in each pixel of its working size, with a note of what was understood.

    Where a layer's transparency varies, that is the mask, whatever colour was painted; otherwise it is what is bright,
    or, of a few dark labels, what is not 0.

    Raises:
        UserError: no picture, or of another shape than the picture as it was opened.
    """
    image = loaded(Path(path))[0]
    fits(image.size, picture.opened or picture.image.size)
    white, understood = _understood(image)
    mask = Image.fromarray(white.astype(np.uint8) * 255).resize(picture.image.size, Image.Resampling.NEAREST)
    share = np.asarray(mask).mean() / 255
    return Picture(mask, (f"Mask: {share:.0%} of the picture is painted, by {understood}.",), picture.opened)


def with_mask(picture: Picture, path: str | Path | None) -> tuple[Picture, Image.Image | None]:
    """The picture with the mask's note among its own, and the mask of that file, where there is one."""
    if not path:
        return picture, None
    mask = open_mask(path, picture)
    return picture.noted(*mask.notes), mask.image


def fits(mask: tuple[int, int], picture: tuple[int, int]) -> None:
    """Refuse a mask of another shape: scaled along its longer side it may be off by the pixel that rounding takes.

    Raises:
        UserError: with both sizes.
    """
    long = 0 if picture[0] >= picture[1] else 1
    if abs(mask[long] * picture[1 - long] / picture[long] - mask[1 - long]) > 1:
        raise UserError(
            f"The mask is {mask[0]}x{mask[1]}, which does not fit a {picture[0]}x{picture[1]} picture; "
            "use a mask of the picture's shape."
        )


def mask_tensor(mask: Image.Image, size: tuple[int, int], device: str = "cpu", *, inverted: bool = False) -> Tensor:
    """(1, 1, H, W) of 0 and 1 from a mask picture: white may change, black stays; ``inverted``, the other way round.

    Raises:
        UserError: another shape than the picture's, or nothing in it that may change.
    """
    fits(mask.size, size)
    grey = mask.convert("L").resize(size, Image.Resampling.NEAREST)
    white = np.asarray(grey) >= 128
    values = torch.from_numpy((white != inverted).astype(np.float32))
    if not values.any():
        raise UserError(
            "The mask covers everything, and it is inverted: paint in white what is to stay."
            if inverted
            else "The mask is empty: paint in white what may change."
        )
    return values[None, None].to(device)


def _understood(image: Image.Image) -> tuple[np.ndarray, str]:
    """(H, W) of bool, and by what it was decided."""
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        if alpha.min() != alpha.max():
            return alpha >= 128, "its transparency"
    if image.mode.startswith(("I", "F")):
        values, full = levels_of(image)
    else:
        values, full = np.asarray(image.convert("RGB")).max(axis=2), 255.0  # any bright colour is paint
    half = full / 2
    if values.max(initial=0.0) > half:
        return values > half, "its brightness"
    if len(np.unique(values)) <= FEW:
        return values > 0, "its labels"
    return values > half, "its brightness"
