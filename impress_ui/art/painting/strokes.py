"""Painters that lay strokes or dots: oil and pointillism."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from impress_ui.art.painting.common import SUPERSAMPLING, blur, draw_lines, edge_direction, luminance, saturate


def oil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Layers of ever finer brush strokes along the edges (after Hertzmann 1998)."""
    goal = saturate(picture, 1.5)
    canvas = blur(goal, 8)
    for radius, sigma in ((5.0, 3.0), (3.0, 1.5), (1.6, 0.6)):
        reference = blur(goal, sigma)
        canvas = _brush_layer(canvas, reference, radius, rng, threshold=0.0 if radius > 4 else 0.09)
    return canvas


def _brush_layer(
    canvas: np.ndarray, reference: np.ndarray, radius: float, rng: np.random.Generator, threshold: float
) -> np.ndarray:
    height, width = canvas.shape[:2]
    angles = edge_direction(luminance(reference), 3)
    error = blur(np.abs(canvas - reference).sum(-1), radius / 2)
    spacing = max(2, round(radius * 1.1))
    rows, columns = np.mgrid[0:height:spacing, 0:width:spacing]
    points = np.stack([rows.ravel(), columns.ravel()], 1)
    points = (points + rng.integers(0, spacing, points.shape)).clip(0, (height - 1, width - 1))
    points = points[error[points[:, 0], points[:, 1]] >= threshold]
    rng.shuffle(points)
    y, x = points[:, 0], points[:, 1]
    angle = angles[y, x] + rng.normal(0, 0.25, len(points))
    half = radius * rng.uniform(1.2, 2.6, len(points))
    colours = reference[y, x] * (1 + rng.normal(0, 0.10, (len(points), 1))) + rng.normal(0, 0.02, (len(points), 3))
    dx, dy = np.cos(angle) * half, np.sin(angle) * half
    paths = np.stack([x - dx, y - dy, x + dx, y + dy], 1).reshape(-1, 2, 2)
    return draw_lines(canvas, paths, colours, radius * 1.5)


def pointillist(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round dots of pure, jittered colour on a cream ground."""
    height, width = picture.shape[:2]
    reference = saturate(blur(picture, 1.0), 1.9)
    sheet = Image.new("RGB", (width * SUPERSAMPLING, height * SUPERSAMPLING), (244, 236, 214))
    draw = ImageDraw.Draw(sheet)
    spacing = 4
    for _ in range(2):
        rows, columns = np.mgrid[0:height:spacing, 0:width:spacing]
        points = np.stack([rows.ravel(), columns.ravel()], 1) + rng.uniform(0, spacing, (rows.size, 2))
        rng.shuffle(points)
        inside = points.astype(int).clip(0, (height - 1, width - 1))
        colours = reference[inside[:, 0], inside[:, 1]] + rng.normal(0, 0.13, (len(points), 3))
        colours = (colours.clip(0, 1) * 255).astype(int)
        radii = rng.uniform(1.3, 2.1, len(points))
        y, x = points[:, 0], points[:, 1]
        boxes = (np.stack([x - radii, y - radii, x + radii, y + radii], 1) * SUPERSAMPLING).tolist()
        for box, colour in zip(boxes, colours.tolist(), strict=True):
            draw.ellipse(box, fill=tuple(colour))
    return np.asarray(sheet.resize((width, height), Image.Resampling.LANCZOS), np.float32) / 255
