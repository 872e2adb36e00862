"""The artists that come along, each with a sentence on its manner: what the page lists before a renderer is loaded."""

from __future__ import annotations

MANNERS = {
    "Cobalt": "Long curved strokes that wind about a few whirls, from midnight blue to yellow.",
    "Amethyst": "Slabs of the palette knife from violet to orange, each with a lit rim.",
    "Slate": "Coloured chalk and dusty white outlines on a blackboard.",
    "Cinnabar": "Posters in red and black on cream, with round red dots in the light tones.",
    "Malachite": "Linocuts: mint gouges in a deep green ground.",
    "Cedar": "Block prints in flat indigo with a vermilion glow, a cream border and a red seal.",
    "Coral": "Printed cloth: every tone a pattern of its own, dots, stripes, checks and zigzag.",
    "Opal": "Charts of the light: bands of the rainbow with dark lines between them.",
    "Alder": "Large flat shapes in fierce colours within thick blue contours.",
    "Birch": "Layers of cut pastel paper, each throwing a soft shadow on the one below.",
    "Quartz": "A video game's screen: large square pixels in neon colours.",
    "Copper": "Beaten copper: a hammered relief with green patina in its hollows.",
}
