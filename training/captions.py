"""What the training photographs show, and the sentences that say so: the words that the embedded denoiser knows."""

from __future__ import annotations

import random
import re

from impress_ui.core.painting import PHOTOGRAPH

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

STYLE_PHRASES: dict[str, tuple[str, ...]] = {
    PHOTOGRAPH: ("a photograph", "a photo", "a picture"),
    "oil painting": ("an oil painting", "an impressionist painting"),
    "watercolour": ("a watercolour", "a watercolor painting", "a watercolour painting"),
    "pointillist painting": ("a pointillist painting", "pointillism"),
    "cubist painting": ("a cubist painting", "cubism"),
    "woodcut": ("a woodcut", "a woodcut print", "an engraving"),
    "stained glass window": ("a stained glass window", "stained glass"),
    "mosaic": ("a mosaic", "a tile mosaic"),
    "pencil sketch": ("a pencil sketch", "a pencil drawing", "a sketch"),
}
UNNAMED = ""  # the subject of pictures that nobody described


def subject_of(stem: str) -> str:
    """The key in ``SUBJECTS`` of a landscape's file name such as 'mountain12-sfiera'."""
    name = stem.split("-")[0]
    return NAMED_AFTER_AUTHORS.get(name) or re.sub(r"\d+$", "", name)


def caption(subject: str, style: str, rng: random.Random) -> str:
    """One of the sentences for a subject of ``SUBJECTS`` (or ``UNNAMED``) in a style of ``STYLE_PHRASES``."""
    manner = rng.choice(STYLE_PHRASES[style])
    if subject == UNNAMED:
        return manner
    thing = SUBJECTS[subject][0] if rng.random() < 0.5 else rng.choice(SUBJECTS[subject])
    forms = ["{manner} of {thing}"] * 4 + ["{thing}, {manner}"] + (["{thing}"] if style == PHOTOGRAPH else [])
    return rng.choice(forms).format(manner=manner, thing=thing)


def canonical(subject: str, style: str) -> str:
    """The plainest of those sentences: 'a photograph of a mountain', 'a mosaic of the sea'."""
    return f"{STYLE_PHRASES[style][0]} of {SUBJECTS[subject][0]}"
