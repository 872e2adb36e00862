"""Named sets of settings for two cores, and for a study of a style; IMPRESS's recipes are in ``methods/impress.py``."""

from __future__ import annotations

from typing import Any

# GLAZE for two cores: fewer and longer steps, no pixel by more than 16 levels, since LPIPS alone lets the change be
# seen, and a target that is further in its style: at the published strength flat pictures stay what they were.
QUICK_GLAZE: dict[str, Any] = {"method": "glaze", "steps": 60, "glaze_rate": 0.03, "cap": 16, "style_strength": 0.7}
# The same for an artist's works, from all of which a model learns together: at 16 levels half of some artists'
# imitations are still recognised. The published form bounds no pixel; this one does, at twice its p.
STYLE_GLAZE: dict[str, Any] = {**QUICK_GLAZE, "cap": 32, "perceptual_budget": 0.1, "style_strength": 0.8}
# And what undoes it best: a gentle denoising takes what the protection has put into flat areas, IMPRESS takes the rest.
# For the page, where somebody waits, with half the steps, which bring the latent nearly as near.
QUICK_STYLE_PURIFIER: dict[str, Any] = {"method": "chain", "chain": ("non-local-means 0.05", "fast-style steps=40")}
# Presets of a fine-tuning: 'quick' is for two cores and the embedded checkpoint, the field's own defaults.
MIMICS: dict[str, dict[str, Any]] = {
    "quick": {},
    "thorough": {"works": 24, "imitations": 20, "steps": 300},
    "paper": {
        "works": 24,
        "imitations": 100,
        "tuning": "full",
        "batch": 32,
        "steps": 500,
        "learning_rate": 5e-6,
        "guidance": 7.5,
    },
}
