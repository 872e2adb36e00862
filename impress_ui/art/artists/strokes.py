"""Artists who lay strokes: Cobalt, Amethyst, Slate. Pictures (H, W, 3) in [0, 1], sizes at a side of 128."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_gradient_magnitude

from impress_ui.art.painting.common import (
    blur,
    draw_lines,
    draw_polygons,
    grid_points,
    luminance,
    ramp,
    saturate,
    stretch,
)

# From dark to light.
NIGHT = (
    (0.03, 0.05, 0.22), (0.06, 0.16, 0.55), (0.15, 0.42, 0.80), (0.55, 0.75, 0.75), (0.98, 0.86, 0.25), (1, 0.97, 0.62)
)  # fmt: skip
DUSK = (
    (0.17, 0.04, 0.28), (0.36, 0.12, 0.55), (0.62, 0.25, 0.60), (0.93, 0.42, 0.18), (1.0, 0.62, 0.18), (1.0, 0.86, 0.62)
)  # fmt: skip


def cobalt(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Long curved strokes that wind about a few whirls, from midnight blue to yellow."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 1))
    centres = rng.uniform(0.1, 0.9, (4, 2)) * (height, width)
    turns = rng.choice([-1.0, 1.0], 4)

    def flow(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dy, dx = y[:, None] - centres[:, 0], x[:, None] - centres[:, 1]
        weight = turns * np.exp(-np.hypot(dy, dx) / 22)
        vy, vx = (weight * dx).sum(1), (-weight * dy).sum(1)
        length = np.hypot(vy, vx) + 1e-6
        return vy / length, vx / length

    canvas = ramp(blur(grey, 3), NIGHT)
    for spacing, wide in ((6, 5.0), (4, 2.6)):
        points = grid_points((height, width), spacing, rng)
        y, x = points.T.astype(float)
        path = [np.stack([x, y], 1)]
        for _ in range(5):
            vy, vx = flow(y, x)
            y, x = y + 3 * vy, x + 3 * vx
            path.append(np.stack([x, y], 1))
        tone = grey[points[:, 0], points[:, 1]] + rng.normal(0, 0.09, len(points))
        canvas = draw_lines(canvas, np.stack(path, 1), ramp(tone.clip(0, 1), NIGHT), wide)
    return canvas


def amethyst(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Slabs of the palette knife from violet to orange, each with a lit and a shaded rim."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 1.5))
    canvas = ramp(blur(grey, 4), DUSK)
    for spacing, length, breadth in ((10, 12.0, 6.0), (7, 8.0, 4.0)):
        points = grid_points((height, width), spacing, rng)
        y, x = points.T.astype(float)
        angle = np.pi / 4 * rng.choice([-1, 1], len(points)) + rng.normal(0, 0.25, len(points))
        along = np.stack([np.cos(angle), np.sin(angle)], 1) * (length * rng.uniform(0.7, 1.2, (len(points), 1)))
        across = np.stack([-np.sin(angle), np.cos(angle)], 1) * breadth
        across *= np.sign(across[:, 1:])  # so that the light falls from above on every slab
        middle = np.stack([x, y], 1)
        tone = (grey[points[:, 0], points[:, 1]] + rng.normal(0, 0.07, len(points))).clip(0, 1)
        paint = ramp(tone, DUSK)
        # Slab by slab, its shadow, its light and its face, or the rims would lie above the later slabs.
        shapes = np.stack([_slab(middle + across * shift, along, across) for shift in (0.3, -0.25, 0.0)], 1)
        shades = np.stack([paint * 0.45, paint + (1 - paint) * 0.55, paint], 1)
        canvas = draw_polygons(canvas, shapes.reshape(-1, 4, 2), shades.reshape(-1, 3))
    return canvas


def _slab(middle: np.ndarray, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Corners (N, 4, 2) of rectangles of twice the half-lengths ``along`` and half ``across``."""
    half = across / 2
    return np.stack([middle - along - half, middle + along - half, middle + along + half, middle - along + half], 1)


def slate(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Chalk on a blackboard: dusty white outlines, and slanted strokes of coloured chalk where it is light."""
    height, width = picture.shape[:2]
    grey = stretch(blur(luminance(picture), 1))
    dust = blur(rng.standard_normal((height, width)), 9) * 9
    board = np.array([0.09, 0.11, 0.11]) * (1 + 0.5 * dust[..., None]) + 0.02
    points = grid_points((height, width), 5, rng)
    light = grey[points[:, 0], points[:, 1]]
    points, light = points[light > 0.35], light[light > 0.35]
    y, x = points.T.astype(float)
    angle, half = -np.pi / 4 + rng.normal(0, 0.12, len(points)), 5 + 5 * light
    dx, dy = np.cos(angle) * half, np.sin(angle) * half
    paths = np.stack([x - dx, y - dy, x + dx, y + dy], 1).reshape(-1, 2, 2)
    colours = saturate(blur(picture, 2), 2.5)[points[:, 0], points[:, 1]]
    colours = 0.45 + 0.55 * colours / colours.max(1, keepdims=True).clip(0.05)
    shade = 0.35 + 0.65 * ((light - 0.35) / 0.5).clip(0, 1)[:, None]
    drawn = draw_lines(board, paths, board.mean() + (colours - board.mean()) * shade, 2.0 + light)
    outline = (gaussian_gradient_magnitude(grey, 1.4) * 14 - 0.5).clip(0, 1)[..., None]
    drawn = drawn + (0.98 - drawn) * outline
    # The board's grain shows through the chalk and not beside it.
    grain = (0.85 + 0.45 * blur(rng.standard_normal((height, width)), 0.7)[..., None]).clip(0.3, 1)
    return board + (drawn - board) * grain
