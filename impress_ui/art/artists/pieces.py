"""Artists who build from pieces: Alder, Birch, Quartz, Copper. Pictures (H, W, 3) in [0, 1], sizes at a side of 128."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageColor
from scipy.ndimage import maximum_filter, shift
from skimage.segmentation import slic

from impress_ui.art.painting.common import blur, borders, flat_colours, luminance, ramp, stretch, voronoi

# Each from dark to light.
FIERCE = np.array([
    (0, 0.30, 0.24), (0.78, 0.06, 0.20), (0.98, 0.36, 0.08), (0.96, 0.45, 0.66), (0.35, 0.80, 0.62), (1, 0.88, 0.25),
])  # fmt: skip
PASTEL = np.array([(0.50, 0.44, 0.62), (0.93, 0.66, 0.72), (0.70, 0.84, 0.74), (0.99, 0.83, 0.66), (0.99, 0.97, 0.92)])
BEATEN = ((0.12, 0.04, 0.02), (0.50, 0.20, 0.09), (0.85, 0.45, 0.25), (1.0, 0.84, 0.70))
NEON_HOT = (
    "#000000", "#1d0b4f", "#4b00b5", "#8a00ff", "#c800ff", "#ff00c8", "#ff0066", "#ff5a00", "#fff200", "#ffffff",
)  # fmt: skip
NEON_COLD = (
    "#000000", "#1d0b4f", "#4b00b5", "#0033ff", "#008cff", "#00e5ff", "#00ffa2", "#2bff00",
    "#b6ff00", "#fff200", "#ffffff",
)  # fmt: skip
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 0.5


def alder(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Large flat shapes in fierce colours that are not nature's, within thick blue contours."""
    smooth = blur(picture, 2)
    labels = slic(smooth, n_segments=60, compactness=6, start_label=0, enforce_connectivity=True)
    tone = stretch(luminance(flat_colours(smooth, labels))) + rng.uniform(-0.06, 0.06, labels.max() + 1)
    paint = np.digitize(tone, (0.18, 0.36, 0.52, 0.68, 0.86))[labels]
    sheet = FIERCE[paint]
    brushed = blur(rng.standard_normal(labels.shape), 3) * 3
    sheet = sheet * (1 + 0.10 * brushed[..., None])
    contour = maximum_filter(borders(paint, 1), 3)
    sheet[contour] = (0.05, 0.10, 0.60)
    return blur(sheet, 0.5)


def birch(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Layers of cut pastel paper from mauve to cream, each throwing a soft shadow on the one below."""
    grey = stretch(blur(luminance(picture), 2.6))
    sheet = np.broadcast_to(PASTEL[0], picture.shape)
    for cut, paper in zip((0.2, 0.4, 0.6, 0.8), PASTEL[1:], strict=True):
        ragged = 0.03 * blur(rng.standard_normal(grey.shape), 5) * 5
        above = blur((grey + ragged > cut).astype(float), 0.5)
        shadow = blur(shift(above, (4, 4), order=0, mode="nearest"), 1.8) * (1 - above)
        sheet = sheet * (1 - 0.55 * shadow[..., None])
        sheet = sheet + (paper - sheet) * above[..., None]
    return sheet


def quartz(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A video game's screen: large square pixels in sixteen neon colours, mixed by a chequered pattern."""
    height, width = picture.shape[:2]
    rows, columns = round(height / 5.3), round(width / 5.3)
    small = Image.fromarray((picture.clip(0, 1) * 255).astype(np.uint8)).resize((columns, rows), Image.Resampling.BOX)
    colours = np.asarray(small, float) / 255
    grey = stretch(luminance(colours))
    roll = rng.integers(0, 4, 2)
    threshold = np.tile(np.roll(BAYER, roll, (0, 1)), (rows // 4 + 1, columns // 4 + 1))[:rows, :columns]
    level = (grey + threshold * 0.16).clip(0, 1)
    hot, cold = (
        np.array([ImageColor.getrgb(colour) for colour in row], np.uint8)[np.round(level * (len(row) - 1)).astype(int)]
        for row in (NEON_HOT, NEON_COLD)
    )
    warm = colours[..., 0] > colours[..., 2] + 0.02
    blocks = np.where(warm[..., None], hot, cold)
    large = Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(large, np.float32) / 255


def copper(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Beaten copper: the picture as a hammered relief under a raking light, green patina in its hollows."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 1.6))
    dents = voronoi((height, width), 9.0, rng)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    count = np.bincount(dents.ravel())
    away = np.hypot(*(a - (np.bincount(dents.ravel(), a.ravel()) / count)[dents] for a in (y, x)))
    relief = blur(7 * grey + 0.045 * away**2, 0.8)
    slope_y, slope_x = np.gradient(relief)
    light = np.tanh(1.1 * (slope_x + slope_y))
    metal = ramp((0.08 + 0.72 * grey + 0.26 * light).clip(0, 1), BEATEN)
    patches = blur(rng.standard_normal((height, width)), 6) * 6
    patina = (1 / (1 + np.exp(-(0.42 - grey + 0.14 * patches) * 14)))[..., None] * 0.85
    green = np.array([0.16, 0.62, 0.54]) * (0.62 + 0.55 * grey + 0.30 * light)[..., None]
    return metal + (green - metal) * patina
