"""What several painters share: luminance, saturation, orientation, jitter."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def luminance(picture: np.ndarray) -> np.ndarray:
    """Rec. 601 luma (H, W) of a picture (H, W, 3) in [0, 1]."""
    return picture @ LUMINANCE


def saturate(picture: np.ndarray, factor: float) -> np.ndarray:
    """Colours moved away from grey by the factor, clipped to [0, 1]."""
    grey = luminance(picture)[..., None]
    return (grey + (picture - grey) * factor).clip(0, 1)


def stretch(values: np.ndarray) -> np.ndarray:
    """Values spread so that the 2nd and 98th percentile become 0 and 1."""
    low, high = np.percentile(values, (2, 98))
    return ((values - low) / max(high - low, 0.1)).clip(0, 1)


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of the two first axes."""
    return gaussian_filter(picture, (sigma, sigma) + (0,) * (picture.ndim - 2), mode="nearest")


def edge_direction(grey: np.ndarray, sigma: float) -> np.ndarray:
    """Angle (H, W) along the edges, from the smoothed structure tensor."""
    gx, gy = sobel(grey, axis=1), sobel(grey, axis=0)
    xx, yy, xy = (gaussian_filter(a, sigma) for a in (gx * gx, gy * gy, gx * gy))
    return 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
