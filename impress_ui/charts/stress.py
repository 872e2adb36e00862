"""The scatter of a stress test as SVG: protection left over picture lost, numbered as the table ranks them."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from impress_ui.measures.stress_rows import ORIGINAL, PROTECTED, StressRow, StressTable

WIDTH, HEIGHT = 480, 340
LEFT, RIGHT, TOP, BOTTOM = 66, 16, 16, 56
RADIUS = 10.0
IMPRESS = ("fast", "careful", "paper", "paper-editing", "as-set")
# What a page's style sheet gives; a file on its own brings this along.
STYLE = """svg{font-family:sans-serif;background:#fff}.frame{fill:#fff;stroke:#bbb}.grid{stroke:#e3e3e3}
.tick,.axis{fill:#555;font-size:12px}.leader{stroke:#999}.mark text{fill:#fff;font-size:11px;font-weight:700}
.mark circle{fill:#64748b}.mark-impress circle{fill:#117065}.mark-protected circle{fill:#b06f0c}
.mark-original circle{fill:#222}.unbeaten circle{stroke:#111;stroke-width:2}"""


def scatter(test: StressTable, *, alone: bool = False) -> str:
    """The chart; ``alone`` makes it a file of its own."""
    points = _points(test)
    right = _ceiling(max([0.3, *(row.picture_lost for row, _, _ in points)]))
    high = _ceiling(max([1.0, *(row.protection_left or 0.0 for row, _, _ in points)]))

    def x(lost: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * lost / right

    def y(left: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * left / high

    targets = [(x(row.picture_lost), y(row.protection_left or 0.0)) for row, _, _ in points]
    marks = "".join(
        _mark(row, label, kind, target, place)
        for (row, label, kind), target, place in zip(points, targets, _apart(targets), strict=True)
    )
    reference = "the original" if test.original is not None else "the protected picture"
    axes = (
        f'<text class="axis" text-anchor="middle" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}">'
        f"picture lost: LPIPS to {reference}</text>"
        f'<text class="axis" text-anchor="middle" transform="translate(13 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">'
        "protection left</text>"
    )
    about = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    style = f"<style>{STYLE}</style>" if alone else ""
    return (
        f'<svg{about} class="scatter" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_words(test))}">'
        f"{style}{_grid(x, y, right, high)}{axes}{marks}</svg>"
    )


def _points(test: StressTable) -> list[tuple[StressRow, str, str]]:
    """(row, what stands in its circle, kind); what has no share of the protection has no place."""
    unbeaten = test.unbeaten
    letters = {PROTECTED: "P", ORIGINAL: "O"}
    points = [(row, letters[row.name], row.name) for row in test.baseline]
    for rank, row in enumerate(test.ranking, 1):
        kind = "impress" if row.name.split()[0] in IMPRESS and ", then" not in row.name else "other"
        points.append((row, str(rank), f"{kind}{' unbeaten' if row.name in unbeaten else ''}"))
    return [point for point in points if point[0].protection_left is not None]


def _mark(row: StressRow, label: str, kind: str, target: tuple[float, float], place: tuple[float, float]) -> str:
    (x, y), (there_x, there_y) = place, target
    leader = ""
    if math.hypot(x - there_x, y - there_y) > 3:
        leader = f'<line class="leader" x1="{there_x:.1f}" y1="{there_y:.1f}" x2="{x:.1f}" y2="{y:.1f}"/>'
    told = f"{row.name}: {row.protection_left:.0%} left, LPIPS {row.picture_lost:.3f}"
    return (
        f'{leader}<g class="mark mark-{kind}"><title>{escape(told)}</title>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:g}"/>'
        f'<text text-anchor="middle" x="{x:.1f}" y="{y + 4:.1f}">{label}</text></g>'
    )


def _apart(targets: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Places for the circles near their points, pushed apart until none hides another, and kept in the frame."""
    places = [list(target) for target in targets]
    for _ in range(200):
        moved = False
        for i, a in enumerate(places):
            for j, b in enumerate(places[:i]):
                dx, dy = a[0] - b[0], a[1] - b[1]
                distance = math.hypot(dx, dy)
                overlap = 2 * RADIUS + 1 - distance
                if overlap <= 0:
                    continue
                moved = True
                # Two on one spot part in a direction of their own.
                ux, uy = (dx / distance, dy / distance) if distance > 1e-6 else (math.cos(i + j), math.sin(i + j))
                for point, sign in ((a, 0.5), (b, -0.5)):
                    point[0] = min(max(point[0] + sign * overlap * ux, LEFT), WIDTH - RIGHT)
                    point[1] = min(max(point[1] + sign * overlap * uy, TOP), HEIGHT - BOTTOM)
        if not moved:
            break
    return [(place[0], place[1]) for place in places]


def _grid(x: Callable[[float], float], y: Callable[[float], float], right: float, high: float) -> str:
    parts = [
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"/>'
    ]
    for share in _ticks(high, 0.25 if high < 1.6 else 0.5):
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(share):.1f}" y2="{y(share):.1f}"/>'
            f'<text class="tick" text-anchor="end" x="{LEFT - 14}" y="{y(share) + 4:.1f}">{share:.0%}</text>'
        )
    for lost in _ticks(right, 0.1 if right < 0.75 else 0.2):
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{x(lost):.1f}" y="{HEIGHT - BOTTOM + 24}">{lost:.1f}</text>'
        )
    return "".join(parts)


def _ticks(top: float, step: float) -> list[float]:
    return [step * number for number in range(math.floor(top / step + 1e-9) + 1)]


def _ceiling(value: float) -> float:
    return math.ceil(value * 10 + 0.2) / 10


def _words(test: StressTable) -> str:
    """The chart for those who cannot see it."""
    told = [
        f"{row.name} leaves {row.protection_left:.0%} and loses {row.picture_lost:.2f}" for row, _, _ in _points(test)
    ]
    return "Protection left over picture lost. " + ("; ".join(told) if told else "Nothing to draw yet.")
