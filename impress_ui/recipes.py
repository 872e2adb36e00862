"""The recipes: named sets of defaults for the settings of a purification."""

from __future__ import annotations

from typing import Any

# What the published code does (AAAAAAsuka/Impress), for its two tasks; 'fast' is the fields' own defaults.
_PUBLISHED: dict[str, Any] = {
    "variable": "pixels",
    "consistency_weight": 1.0,
    "fidelity_weight": 0.0,
    "smoothness": 0.0,
    "trust_radius": 0,
    "polish": 0.0,
    "sharpen": 0.0,
    "finish_quality": 0,
    "adam_eps": 1e-5,
    "start": "protected",
    "keep_best": False,
    "patience": 0,
    "delta": 0.1,
}
RECIPES: dict[str, dict[str, Any]] = {
    "fast": {},
    "paper": {**_PUBLISHED, "alpha": 0.1, "steps": 3000, "learning_rate": 0.01, "start_noise": 0.1},
    "paper-editing": {**_PUBLISHED, "alpha": 0.01, "steps": 1000, "learning_rate": 0.005, "start_noise": 0.05},
}
