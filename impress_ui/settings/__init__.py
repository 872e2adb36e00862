"""The one source of every range, default, symbol and help text.

Sliders, command line, API and the settings stored inside PNG files are all made from these models.
Nothing here imports torch or gradio, so ``--help`` stays instant.
"""

from impress_ui.fields import Settings, knob, sentence_of
from impress_ui.methods.purifiers.impress import (
    ConsistencyTerm,
    LpipsNetwork,
    Optimiser,
    Recipe,
    SimilarityNetwork,
    SimilarityTerm,
)
from impress_ui.settings.classify import MICRO_CLIP_NAME, PAPER_CLASSES, ClassifyPreset, ClassifySettings
from impress_ui.settings.diffusion import EditMode, EditSettings, GenerateSettings, Sampler, SamplingSettings
from impress_ui.settings.explore import MEASURES, ExploreSettings
from impress_ui.settings.job import SECTIONS, JobSettings
from impress_ui.settings.mimic import Adapted, MimicPreset, MimicSettings, Tuning
from impress_ui.settings.protect import ProtectMethod, ProtectSettings
from impress_ui.settings.purify import CONTROLS, KNOBS, PurifyMethod, PurifySettings, purifier_of, words_of
from impress_ui.settings.run import EMBEDDED, Device, Precision, RunSettings
from impress_ui.settings.stress import AS_SET, StressSettings

__all__ = [
    "AS_SET",
    "CONTROLS",
    "EMBEDDED",
    "KNOBS",
    "MEASURES",
    "MICRO_CLIP_NAME",
    "PAPER_CLASSES",
    "SECTIONS",
    "Adapted",
    "ClassifyPreset",
    "ClassifySettings",
    "ConsistencyTerm",
    "Device",
    "EditMode",
    "EditSettings",
    "ExploreSettings",
    "GenerateSettings",
    "JobSettings",
    "LpipsNetwork",
    "MimicPreset",
    "MimicSettings",
    "Optimiser",
    "Precision",
    "ProtectMethod",
    "ProtectSettings",
    "PurifyMethod",
    "PurifySettings",
    "Recipe",
    "RunSettings",
    "Sampler",
    "SamplingSettings",
    "Settings",
    "SimilarityNetwork",
    "SimilarityTerm",
    "StressSettings",
    "Tuning",
    "knob",
    "purifier_of",
    "sentence_of",
    "words_of",
]
