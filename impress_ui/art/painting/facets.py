"""Painters that cut the picture into pieces: cubist facets, stained glass, mosaic."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import mean as labelled_mean

from impress_ui.art.painting.common import blur, borders, compact, flat_colours, saturate, voronoi


def cubist(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Large facets between straight lines, each with its own slant of light, in earthy tones with dark edges."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    labels = np.zeros((height, width), np.int64)
    for _ in range(round(6 * width / height) + 3):
        angle = rng.uniform(0, np.pi)
        offset = (x - rng.uniform(0, width)) * np.cos(angle) + (y - rng.uniform(0, height)) * np.sin(angle)
        labels = compact(labels * 2 + (offset > 0))
    pieces = labels.max() + 1
    colours = flat_colours(saturate(picture, 1.2), labels)
    ochre = np.array([0.62, 0.50, 0.33])
    colours = 0.72 * colours + 0.28 * ochre * (0.5 + colours.mean(1, keepdims=True))
    slant = rng.uniform(0, 2 * np.pi, pieces)[labels]
    centre_y, centre_x = (labelled_mean(a, labels, np.arange(pieces))[labels] for a in (y, x))
    ramp = ((x - centre_x) * np.cos(slant) + (y - centre_y) * np.sin(slant)) / 40
    shaded = colours[labels] * (1 + 0.9 * np.tanh(ramp))[..., None]
    shaded = 0.55 * shaded + 0.45 * blur(picture, 1.5)  # or nobody could name the subject
    shaded[borders(labels, 1)] *= 0.35
    return shaded.clip(0, 1).astype(np.float32)


def stained_glass(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Glowing cells of plain colour in thick black lead."""
    labels = voronoi(picture.shape[:2], 13.0, rng)
    colours = saturate(flat_colours(picture, labels)[None], 2.2)[0]
    colours = colours * (0.9 / max(0.3, np.percentile(colours.max(1), 90))) * rng.uniform(0.8, 1.15, (len(colours), 1))
    glass = colours[labels]
    glass[borders(labels, 2)] = 0.03
    return glass.clip(0, 1).astype(np.float32)


def mosaic(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Square tiles in slightly wavering rows, with pale grout."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    phase = rng.uniform(0, 2 * np.pi, 2)
    row = (y + 1.5 * np.sin(x / 17 + phase[0])) / 7
    column = (x + 1.5 * np.sin(y / 17 + phase[1]) + 3.5 * (np.floor(row) % 2)) / 7
    labels = compact((np.floor(row) + 2).astype(np.int64) * 4096 + (np.floor(column) + 2).astype(np.int64))
    colours = saturate(flat_colours(picture, labels)[None], 1.35)[0]
    colours = colours * rng.uniform(0.78, 1.18, (len(colours), 1))
    tiles = colours[labels]
    grout = (row % 1 < 0.16) | (column % 1 < 0.16)
    tiles[grout] = (0.86, 0.83, 0.76)
    return tiles.clip(0, 1).astype(np.float32)
