"""Named sets of defaults: the recipes of a purification, and what a protection's method brings along."""

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
    # GLAZE's Adam drives most pixels to its cap, where PhotoGuard's decaying steps leave few, and the cap of a style's
    # works is high: more room to undo it, and more steps to get there.
    "fast-style": {"trust_radius": 48, "steps": 80},
    "paper": {**_PUBLISHED, "alpha": 0.1, "steps": 3000, "learning_rate": 0.01, "start_noise": 0.1},
    "paper-editing": {**_PUBLISHED, "alpha": 0.01, "steps": 1000, "learning_rate": 0.005, "start_noise": 0.05},
}

# Where a protection's published defaults are not those of the fields. Sign methods other than PhotoGuard's keep one
# step size; 16 grey levels in steps of one are Mist's and Diff-Protect's 16/255 and 1/255 of the [0, 1] range. The
# adaptive weights beta, but for GLAZE's 30, are ours: with them both gradients begin alike on the embedded checkpoint.
_DENOISING: dict[str, Any] = {"steps": 100, "step_size": 1.0, "repetitions": 1, "beta": 30.0}
_ADVDM: dict[str, Any] = {**_DENOISING, "attacked_prompt": "a painting"}
_SDS: dict[str, Any] = {**_DENOISING, "attacked_prompt": "a photo", "random_start": False}
PROTECTIONS: dict[str, dict[str, Any]] = {
    "photoguard-encoder": {},
    "photoguard-diffusion": {},
    "glaze": {"steps": 500, "beta": 30.0},
    "nightshade": {"steps": 500, "beta": 30.0, "perceptual_budget": 0.07, "style_strength": 1.0},
    "advdm": _ADVDM,
    "advdm-minus": _ADVDM,
    "mist-textural": {"steps": 100, "step_size": 1.0, "target": "pattern", "beta": 100.0},
    "mist-fused": {**_ADVDM, "target": "pattern", "beta": 100.0},
    "sds-plus": _SDS,
    "sds-minus": _SDS,
    "sdst-minus": {**_SDS, "target": "pattern", "beta": 100.0},
    # 5e-2 and 5e-3 of the [-1, 1] range, about: 50 rounds of 6 steps, from the picture itself.
    "aspl": {
        "steps": 300,
        "budget": 6,
        "step_size": 0.6,
        "random_start": False,
        "repetitions": 1,
        "beta": 30.0,
        "attacked_prompt": "a photo of sks person",
    },
}
# GLAZE for two cores: fewer and longer steps, no pixel by more than 16 levels, since LPIPS alone lets the change be
# seen, and a target that is further in its style: at the published strength flat pictures stay what they were.
QUICK_GLAZE: dict[str, Any] = {"method": "glaze", "steps": 60, "glaze_rate": 0.03, "cap": 16, "style_strength": 0.7}
# The same for an artist's works, from all of which a model learns together: at 16 levels half of some artists'
# imitations are still recognised. The published form bounds no pixel; this one does, at twice its p.
STYLE_GLAZE: dict[str, Any] = {**QUICK_GLAZE, "cap": 32, "perceptual_budget": 0.1, "style_strength": 0.8}
# And what undoes it best, chosen on two artists: a gentle denoising takes what the protection has put into flat areas,
# IMPRESS takes the rest.
_GENTLE = "non-local-means 0.05"
STYLE_PURIFIER: dict[str, Any] = {"method": "chain", "chain": (_GENTLE, "fast-style")}
# For the page, where somebody waits: half the steps bring the latent nearly as near.
QUICK_STYLE_PURIFIER: dict[str, Any] = {"method": "chain", "chain": (_GENTLE, "fast-style steps=40")}
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
