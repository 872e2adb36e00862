"""Whole sets of settings by name, for every door, and the example pictures with theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from impress_ui.settings import JobSettings
from impress_ui.settings.recipes import QUICK_GLAZE

# What a preset leaves as it is: where and from which seed one computes, and in whose words.
KEPT = {
    "run": ("checkpoint", "device", "precision", "seed"),
    "edit": ("prompt", "negative_prompt"),
    "generate": ("prompt", "negative_prompt"),
}


@dataclass(frozen=True)
class Preset:
    """A named set of settings; what ``given`` does not name has its default."""

    label: str
    about: str
    given: Mapping[str, Mapping[str, Any]]

    def applied_to(self, job: JobSettings) -> JobSettings:
        """The preset's settings, with the fields of ``KEPT`` as the job has them."""
        kept = {
            section: {name: getattr(getattr(job, section), name) for name in names} for section, names in KEPT.items()
        }
        sections = {*self.given, *kept}
        return JobSettings.model_validate(
            {name: {**self.given.get(name, {}), **kept.get(name, {})} for name in sections}
        )


PRESETS: dict[str, Preset] = {
    "default": Preset("Default", "Every setting as it comes.", {}),
    "quick": Preset(
        "Quick",
        "A first look: small pictures, half the steps.",
        {
            "run": {"size": 128},
            "protect": {"steps": 20},
            "purify": {"steps": 20},
            "edit": {"sampling_steps": 10},
            "generate": {"sampling_steps": 10, "count": 2},
            "mimic": {"steps": 60, "works": 6, "imitations": 6},
            "stress": {"purifiers": ("fast", "jpeg 40", "noise", "blur", "non-local-means")},
        },
    ),
    "at-once": Preset(
        "At once",
        "A protection of six steps: four fifths as strong, in a sixth of the time.",
        {"protect": {"steps": 6}},
    ),
    "strong": Preset(
        "Strong",
        "A protection of twice the budget that reckons with IMPRESS, and a purification with more steps and more room.",
        {
            "protect": {"budget": 32, "steps": 100, "adaptive": "consistency"},
            "purify": {"steps": 120, "trust_radius": 48},
            "edit": {"sampling_steps": 40},
            "mimic": {"preset": "thorough"},
        },
    ),
    "paper-style": Preset(
        "Paper, style",
        "As published for style mimicry: GLAZE, IMPRESS with Δ_L = 0.1 and α = 0.1 in 3000 steps, the whole denoiser "
        "fine-tuned.",
        {
            "protect": {"method": "glaze"},
            "purify": {"recipe": "paper"},
            "generate": {"sampler": "dpm++", "sampling_steps": 100, "guidance": 7.5},
            "mimic": {"preset": "paper"},
        },
    ),
    "paper-editing": Preset(
        "Paper, editing",
        "As published for editing: PhotoGuard's diffusion attack in an L2 ball, IMPRESS with Δ_L = 0.1 and α = 0.01 in "
        "1000 steps.",
        {
            "protect": {
                "method": "photoguard-diffusion", "norm": "l2", "l2_radius": 16, "l2_step": 1, "steps": 200,
                "repetitions": 10, "attacked_steps": 4,
            },
            "purify": {"recipe": "paper-editing"},
            "edit": {"guidance": 7.5, "sampling_steps": 50},
        },
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A photograph that ships with the program, and settings to look at it with."""

    about: str
    given: Mapping[str, Mapping[str, Any]]

    @property
    def job(self) -> JobSettings:
        return JobSettings.model_validate(self.given)


# By photograph, of the held-out ones.
EXAMPLES: dict[str, Example] = {
    "mountain1": Example("PhotoGuard’s encoder attack; fast", {}),
    "canyon1": Example(
        "GLAZE; fast-style",
        {
            "protect": QUICK_GLAZE,
            "purify": {"recipe": "fast-style"},
            "edit": {"prompt": "a woodcut of a canyon"},
        },
    ),
    "city11": Example(
        "Mist, textural; fast",
        {"protect": {"method": "mist-textural", "steps": 40}, "edit": {"prompt": "a stained glass window of a city"}},
    ),
    "beach2": Example(
        "A gentle budget; non-local means",
        {
            "protect": {"budget": 8},
            "purify": {"method": "non-local-means", "denoise_weight": 0.03},
            "edit": {"prompt": "a mosaic of the sea"},
        },
    ),
    "dune5": Example(
        "Made against IMPRESS; fast",
        {"protect": {"adaptive": "consistency"}, "edit": {"prompt": "a cubist painting of sand dunes"}},
    ),
    "sky8": Example(
        "Encoder attack; JPEG, then fast",
        {"purify": {"method": "chain", "chain": ("jpeg 40", "fast")}, "edit": {"prompt": "a pencil sketch of the sky"}},
    ),
}
