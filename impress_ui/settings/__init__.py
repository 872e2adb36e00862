"""The one source of every range, default, symbol and help text.

Sliders, command line, API and the settings stored inside PNG files are all made from these models.
Nothing here imports torch or gradio, so ``--help`` stays instant.
"""

from impress_ui.settings.base import Settings, knob, sentence_of
from impress_ui.settings.diffusion import EditMode, EditSettings, GenerateSettings, Sampler, SamplingSettings
from impress_ui.settings.job import JobSettings
from impress_ui.settings.protect import Norm, ProtectMethod, ProtectSettings, TargetKind
from impress_ui.settings.purify import (
    CONTROLS,
    LpipsNetwork,
    PurifyMethod,
    PurifySettings,
    Recipe,
    SimilarityNetwork,
)
from impress_ui.settings.run import EMBEDDED, Device, Precision, RunSettings

__all__ = [
    "CONTROLS",
    "EMBEDDED",
    "Device",
    "EditMode",
    "EditSettings",
    "GenerateSettings",
    "JobSettings",
    "LpipsNetwork",
    "Norm",
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
    "TargetKind",
    "knob",
    "sentence_of",
]
