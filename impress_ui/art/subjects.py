"""What the landscapes of Endless Sky show, by their file names, and the words for it."""

from __future__ import annotations

import re

# The landscapes' file names begin with their subject: {name: ways to write it}. The first is the canonical one.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "badlands": ("badlands", "eroded rocks", "a barren rocky landscape"),
    "beach": ("a beach", "a sandy beach", "the shore"),
    "canyon": ("a canyon", "a red canyon", "a gorge"),
    "city": ("a city", "a city skyline", "tall buildings", "a town"),
    "desert": ("a desert", "a desert landscape", "rocks in a desert"),
    "dune": ("sand dunes", "dunes", "a sand dune"),
    "fields": ("fields", "a green field", "a meadow", "farmland"),
    "fog": ("fog", "a foggy landscape", "mist"),
    "forest": ("a forest", "trees", "woods"),
    "hills": ("hills", "green hills", "rolling hills"),
    "lava": ("lava", "a volcano", "glowing lava"),
    "mountain": ("a mountain", "mountains", "a mountain range"),
    "sea": ("the sea", "the ocean", "waves"),
    "sky": ("the sky", "clouds", "a cloudy sky"),
    "snow": ("snow", "a snowy landscape", "winter"),
    "space": ("space", "outer space"),
    "valley": ("a valley", "a green valley"),
    "water": ("a lake", "water", "a river"),
    "station": ("a machine hall", "a space station"),
    "industrial": ("a factory at night", "industry"),
    "earthrise": ("the earth above the moon",),
}
# Those named after their photographer, by what they show.
NAMED_AFTER_AUTHORS = {
    "bwerner0": "sea", "bwerner1": "sea", "bwerner2": "badlands", "bwerner3": "badlands", "bwerner4": "badlands",
    "bwerner5": "water", "bwerner6": "desert", "bwerner7": "desert", "bwerner8": "desert", "dmottl0": "mountain",
    "dmottl1": "snow", "dmottl2": "mountain", "dmottl3": "snow", "dmottl4": "snow", "dmottl5": "mountain",
    "loc0": "station", "loc1": "station", "loc2": "station", "mfield0": "city", "mfield1": "city",
    "mfield2": "city", "mfield3": "city", "mfield4": "city", "mfield5": "badlands", "myrabella0": "canyon",
    "myrabella1": "beach", "myrabella2": "sky", "myrabella3": "hills", "myrabella4": "sea", "myrabella5": "sea",
    "myrabella6": "fields", "myrabella7": "water", "myrabella8": "water", "nasa0": "beach", "nasa1": "sky",
    "nasa2": "industrial", "nasa3": "sea", "nasa4": "city", "nasa5": "industrial", "nasa6": "desert",
    "nasa7": "sky", "nasa8": "space", "nasa9": "space",
}  # fmt: skip


def subject_of(stem: str) -> str:
    """The key in ``SUBJECTS`` of a landscape's file name such as 'mountain12-sfiera'."""
    name = stem.split("-")[0]
    return NAMED_AFTER_AUTHORS.get(name) or re.sub(r"\d+$", "", name)
