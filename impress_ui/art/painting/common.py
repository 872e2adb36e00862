"""What several painters share: luminance and colour, orientation, pieces of the picture, strokes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, sobel
from scipy.ndimage import mean as labelled_mean
from scipy.spatial import cKDTree

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
# Strokes are drawn at this multiple of the size and reduced, which smooths their edges.
SUPERSAMPLING = 2


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


def ramp(values: np.ndarray, colours: Sequence[tuple[float, float, float]]) -> np.ndarray:
    """Values (...) in [0, 1] as colours (..., 3): evenly spaced stops, linear between them."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(values, stops, channel) for channel in zip(*colours, strict=True)], -1)


def flat_colours(picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean colour of each piece, (pieces, 3), for labels 0, 1, ... (H, W)."""
    index = np.arange(labels.max() + 1)
    return np.stack([labelled_mean(picture[..., c], labels, index) for c in range(3)], 1)


def borders(labels: np.ndarray, thickness: int) -> np.ndarray:
    """True (H, W) where a pixel lies within ``thickness`` of another piece, to the right or below."""
    edge = np.zeros(labels.shape, bool)
    for shift in range(1, thickness + 1):
        edge[:, :-shift] |= labels[:, shift:] != labels[:, :-shift]
        edge[:-shift] |= labels[shift:] != labels[:-shift]
    return edge


def compact(labels: np.ndarray) -> np.ndarray:
    """The same pieces, numbered 0, 1, ... without gaps."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def voronoi(shape: tuple[int, int], spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Labels (H, W) of the cells about jittered grid points."""
    rows, columns = np.mgrid[-spacing / 2 : shape[0] + spacing : spacing, -spacing / 2 : shape[1] + spacing : spacing]
    seeds = np.stack([rows.ravel(), columns.ravel()], 1) + rng.uniform(-0.45, 0.45, (rows.size, 2)) * spacing
    pixels = np.stack(np.mgrid[0 : shape[0], 0 : shape[1]], -1).reshape(-1, 2)
    return compact(cKDTree(seeds).query(pixels)[1].reshape(shape))


def grid_points(shape: tuple[int, int], spacing: int, rng: np.random.Generator) -> np.ndarray:
    """One random pixel (row, column) in every square of ``spacing``, shuffled, (N, 2) integers."""
    rows, columns = np.mgrid[0 : shape[0] : spacing, 0 : shape[1] : spacing]
    points = np.stack([rows.ravel(), columns.ravel()], 1)
    points = (points + rng.integers(0, spacing, points.shape)).clip(0, (shape[0] - 1, shape[1] - 1))
    rng.shuffle(points)
    return points


def draw_lines(canvas: np.ndarray, paths: np.ndarray, colours: np.ndarray, widths: np.ndarray | float) -> np.ndarray:
    """The canvas (H, W, 3) with N polylines on it, later ones on top.

    Args:
        paths: (N, points, 2) of x and y in pixels.
        colours: (N, 3) in [0, 1].
        widths: pixels, one for all or (N,).
    """
    if not len(paths):  # so smooth or so dark that no stroke is wanted
        return canvas.clip(0, 1)
    sheet, draw = _sheet(canvas)
    widths = np.broadcast_to(np.round(np.asarray(widths) * SUPERSAMPLING).astype(int), len(paths))
    flat = (paths.reshape(len(paths), -1) * SUPERSAMPLING).tolist()
    for path, colour, width in zip(flat, _bytes(colours), widths.tolist(), strict=True):
        draw.line(path, fill=colour, width=width, joint="curve" if len(path) > 4 else None)
    return _reduced(sheet)


def draw_polygons(canvas: np.ndarray, corners: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The canvas (H, W, 3) with N filled polygons on it: (N, corners, 2) of x and y, (N, 3) in [0, 1]."""
    if not len(corners):
        return canvas.clip(0, 1)
    sheet, draw = _sheet(canvas)
    for corner, colour in zip(
        (corners.reshape(len(corners), -1) * SUPERSAMPLING).tolist(), _bytes(colours), strict=True
    ):
        draw.polygon(corner, fill=colour)
    return _reduced(sheet)


def _sheet(canvas: np.ndarray) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.fromarray((canvas.clip(0, 1) * 255).astype(np.uint8)).resize(
        (canvas.shape[1] * SUPERSAMPLING, canvas.shape[0] * SUPERSAMPLING), Image.Resampling.BILINEAR
    )
    return sheet, ImageDraw.Draw(sheet)


def _bytes(colours: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(colour) for colour in (colours.clip(0, 1) * 255).astype(int).tolist()]


def _reduced(sheet: Image.Image) -> np.ndarray:
    size = sheet.width // SUPERSAMPLING, sheet.height // SUPERSAMPLING
    return np.asarray(sheet.resize(size, Image.Resampling.LANCZOS), np.float32) / 255
