"""How complex a picture is, in two figures: what a protection's strength may depend on."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage.color import rgb2gray
from skimage.filters import sobel
from skimage.measure import shannon_entropy

COMPLEXITIES = {
    "entropy": "entropy of the grey levels, in bits",
    "edges": "mean Sobel gradient of the grey picture in [0, 1]",
}


def complexity_of(image: Image.Image) -> dict[str, float]:
    """The figures above of an RGB picture: entropy in [0, 8], edges in [0, 1].

    Entropy is Shannon's over the 256 grey levels: how evenly they are used. Edges say how much there is of detail.
    """
    grey = rgb2gray(np.asarray(image.convert("RGB")))
    return {
        "entropy": float(shannon_entropy(np.round(grey * 255).astype(np.uint8))),
        "edges": float(sobel(grey).mean()),
    }
