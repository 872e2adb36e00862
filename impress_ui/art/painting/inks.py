"""Painters with water, ink and graphite: watercolour, woodcut, pencil."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_gradient_magnitude, median_filter

from impress_ui.art.painting.common import blur, luminance, saturate, stretch


def watercolour(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pale washes with darker rims that bleed into grainy white paper, the border left unpainted."""
    height, width = picture.shape[:2]
    wash = np.stack([median_filter(picture[..., c], 7) for c in range(3)], -1)
    levels = 5
    wash = 0.35 * wash + 0.65 * blur(np.round(wash * levels) / levels, 0.7)
    wash = saturate(wash, 1.6)
    rim = np.stack([gaussian_gradient_magnitude(wash[..., c], 0.8) for c in range(3)], -1).max(-1)
    pigment = (1 - wash) * (0.62 + 1.6 * rim.clip(0, 0.35))[..., None]
    granulation = blur(rng.standard_normal((height, width)).astype(np.float32), 0.8)
    pooling = blur(rng.standard_normal((height, width)).astype(np.float32), 7) * 7
    pigment = pigment * (1 + 0.16 * granulation + 0.22 * pooling)[..., None]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    ragged = 6 + 14 * blur(rng.standard_normal((height, width)).astype(np.float32), 4)
    covered = 1 / (1 + np.exp(-(np.minimum(np.minimum(y, height - 1 - y), np.minimum(x, width - 1 - x)) - ragged)))
    paper = np.array([0.985, 0.975, 0.95], np.float32)
    return (paper * (1 - pigment * covered[..., None])).clip(0, 1).astype(np.float32)


def woodcut(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black lines of varying width on cream paper: the darker the place, the wider the line."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 0.8)) ** 0.9
    y = np.arange(height, dtype=np.float32)[:, None]
    bend = blur(grey, 4) * 26 + 1.2 * blur(rng.standard_normal((height, width)).astype(np.float32), 2)
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (y + bend) / 4.6)
    ink = 1 / (1 + np.exp(-(wave - grey * 1.15 + 0.08) * 9))
    ink = np.where(grey < 0.14, 1.0, ink) * (grey < 0.93)
    outline = gaussian_gradient_magnitude(blur(luminance(picture), 0.8), 1.0)
    ink = np.maximum(ink, ((outline - 0.06) * 14).clip(0, 1))
    paper, black = np.array([0.95, 0.90, 0.79]), np.array([0.09, 0.08, 0.08])
    return (paper + (black - paper) * ink[..., None]).clip(0, 1).astype(np.float32)


def pencil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Graphite on white: outlines, and slanted hatching where the picture is dark."""
    height, width = picture.shape[:2]
    grey = stretch(luminance(picture))
    outline = (gaussian_gradient_magnitude(grey, 0.7) * 3.2).clip(0, 0.9)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    wobble = blur(rng.standard_normal((height, width)).astype(np.float32), 3) * 9
    hatch = 0.5 + 0.5 * np.cos(2 * np.pi * (x + y + wobble) / 5)
    cross = 0.5 + 0.5 * np.cos(2 * np.pi * (x - y + wobble) / 5)
    shade = (0.75 - grey).clip(0, 1) * 0.55 * (0.45 + hatch) + (0.35 - grey).clip(0, 1) * 0.8 * cross
    grain = 1 + 0.35 * rng.standard_normal((height, width)).astype(np.float32)
    graphite = (outline + shade * grain).clip(0, 0.92)
    return np.repeat((0.97 - 0.85 * graphite)[..., None], 3, -1).clip(0, 1).astype(np.float32)
