"""Artists who print: Cinnabar, Malachite, Cedar, Coral, Opal. Pictures (H, W, 3) in [0, 1], sizes at a side of 128."""

from __future__ import annotations

import numpy as np

from impress_ui.art.painting.common import blur, draw_lines, edge_direction, grid_points, luminance, ramp, stretch

PAPER = np.array([0.96, 0.90, 0.76])


def _step(values: np.ndarray, sharpness: float) -> np.ndarray:
    """1 where the values are positive and 0 where negative, with an edge as soft as the sharpness says."""
    return 1 / (1 + np.exp(-(values * sharpness).clip(-30, 30)))


def cinnabar(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A poster in red and black on cream: flat black shadows, flat red, and round red dots in the light tones."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 1.5))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, shift = np.pi / 4 + rng.uniform(-0.1, 0.1), rng.uniform(0, 8, 2)
    u = ((x * np.cos(angle) + y * np.sin(angle) + shift[0]) / 8) % 1 - 0.5
    v = ((y * np.cos(angle) - x * np.sin(angle) + shift[1]) / 8) % 1 - 0.5
    # Dots that just touch where the flat red begins, and vanish in the highlights.
    radius = 0.5 * np.sqrt(((0.92 - grey) / 0.42).clip(0, 1))
    red = np.maximum(_step(radius - np.hypot(u, v), 22), _step(0.48 - grey, 40))
    sheet = PAPER + (np.array([0.85, 0.10, 0.07]) - PAPER) * red[..., None]
    black = _step(0.24 - grey, 40)[..., None]
    return sheet + (np.array([0.07, 0.05, 0.06]) - sheet) * black


def malachite(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A linocut: mint gouges along the forms, the broader the lighter the place, in a deep green ground."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 1.2))
    angles = edge_direction(grey, 5)
    points = grid_points((height, width), 5, rng)
    light = grey[points[:, 0], points[:, 1]]
    points, light = points[light > 0.22], light[light > 0.22]
    y, x = points[:, 0], points[:, 1]
    angle, half = angles[y, x] + rng.normal(0, 0.12, len(points)), 3 + 4 * rng.random(len(points))
    dx, dy = np.cos(angle) * half, np.sin(angle) * half
    paths = np.stack([x - dx, y - dy, x + dx, y + dy], 1).reshape(-1, 2, 2)
    ground = np.broadcast_to(np.array([0.01, 0.25, 0.15]), picture.shape)
    mint = np.broadcast_to([0.86, 0.97, 0.86], (len(points), 3))
    return draw_lines(ground, paths, mint, 0.6 + 4.2 * (light - 0.22))


def cedar(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A block print: flat indigo tones with a vermilion glow from above, a cream border with a line, and a red seal."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 2))
    tones = np.array([[0.07, 0.10, 0.27], [0.14, 0.28, 0.52], [0.46, 0.63, 0.74], [0.93, 0.89, 0.76]])
    cuts = np.array([0.22, 0.45, 0.70]) + rng.uniform(-0.03, 0.03, 3)
    sheet = np.broadcast_to(tones[0], picture.shape)
    for cut, tone in zip(cuts, tones[1:], strict=True):
        sheet = sheet + (tone - sheet) * _step(grey - cut, 45)[..., None]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    glow = (1 - y / (height * rng.uniform(0.42, 0.52))).clip(0, 1) ** 0.8 * _step(grey - 0.35, 20)
    sheet = sheet + (np.array([0.91, 0.30, 0.16]) - sheet) * glow[..., None]
    grain = 1 - 0.03 * np.cos(2 * np.pi * (y + 4 * np.sin(x / 31 + rng.uniform(0, 6))) / 5)
    sheet = sheet * grain[..., None]
    inset = np.minimum(np.minimum(y, height - 1 - y), np.minimum(x, width - 1 - x))
    sheet[inset < 10] = (0.07, 0.10, 0.27)
    sheet[inset < 8] = PAPER
    corner = (x > width - 29) & (x < width - 14) & (y > height - 33) & (y < height - 14)
    sheet[corner] = (0.85, 0.13, 0.10)
    strokes = corner & (((y - height) % 6 < 2) ^ (np.abs(x - width + 21) < 2)) & (x > width - 27) & (x < width - 16)
    sheet[strokes] = PAPER
    return sheet


def coral(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Printed cloth: every tone is a pattern of its own, navy with coral dots, turquoise stripes, pink checks."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 2))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + rng.uniform(0, 12, (2, 1, 1)).astype(np.float32)
    dots = np.hypot(x % 9 - 4.5, (y + 4.5 * ((x // 9) % 2)) % 9 - 4.5) < 2.6
    stripes = (x + y) % 10 < 5
    checks = ((x // 6) + (y // 6)) % 2 < 1
    zigzag = (y + np.abs(x % 12 - 6)) % 10 < 4
    navy, orange, teal, aqua = (0.10, 0.13, 0.36), (1.0, 0.45, 0.35), (0.0, 0.50, 0.52), (0.25, 0.78, 0.74)
    rose, pink, cream, lemon = (0.98, 0.52, 0.60), (1.0, 0.80, 0.80), (1.0, 0.96, 0.86), (1.0, 0.86, 0.40)
    cloths = (
        np.where(dots[..., None], orange, navy),
        np.where(stripes[..., None], teal, aqua),
        np.where(checks[..., None], rose, pink),
        np.where(zigzag[..., None], lemon, cream),
    )
    tone = np.digitize(grey, np.array([0.25, 0.50, 0.75]) + rng.uniform(-0.03, 0.03, 3))
    sheet = np.choose(tone[..., None], cloths)
    return blur(sheet, 0.4)


def opal(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A chart of the light: bands of the rainbow from navy to red, with dark lines between them."""
    grey = stretch(blur(luminance(picture), 2.2))
    grey = (grey + 0.05 * blur(rng.standard_normal(grey.shape), 8) * 8).clip(0, 1)
    bands = 9
    rainbow = (
        (0.05, 0.05, 0.35), (0.0, 0.25, 0.85), (0.0, 0.65, 0.95), (0.0, 0.80, 0.55), (0.35, 0.90, 0.15),
        (0.95, 0.95, 0.10), (1.0, 0.65, 0.0), (1.0, 0.30, 0.10), (1.0, 0.75, 0.80),
    )  # fmt: skip
    level = grey * (bands - 1e-3)
    sheet = ramp(np.floor(level) / (bands - 1), rainbow)
    slope = np.hypot(*np.gradient(level)) + 1e-6
    # The distance to the next level, in pixels: so that steep and gentle places have lines of one width.
    line = (np.abs(level - np.round(level)) / slope < 0.9) & (np.round(level) > 0) & (np.round(level) < bands)
    sheet[line] = sheet[line] * 0.15
    return blur(sheet, 0.4)
