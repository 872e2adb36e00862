"""The experiments: measured on held-out photographs, with fixed seeds, by one command each.

    python -m impress_ui experiment editing --size 128 --budget 16
    python -m impress_ui experiment ablation --size 128 --vary protect.budget=4,8,16 --vary purify.trust_radius=8,24
    python -m impress_ui experiment adaptive --size 128
    python -m impress_ui experiment transfer --checkpoints folder1/ --checkpoints folder2/
    python -m impress_ui experiment robustness --settings robustness.yaml

Each reads one settings file and writes CSV, JSON, charts, contact sheets and a report (``runner.py`` says where); run
again, it goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path

from impress_ui.errors import UserError
from impress_ui.experiments.ablation import ABLATION
from impress_ui.experiments.adaptive import ADAPTIVE
from impress_ui.experiments.autoencoder import autoencoder
from impress_ui.experiments.classifier import classifier
from impress_ui.experiments.detector import detector
from impress_ui.experiments.editing import EDITING
from impress_ui.experiments.experiment import WHOLE_MODEL, Experiment
from impress_ui.experiments.folder import Record
from impress_ui.experiments.purification import PURIFICATION
from impress_ui.experiments.report import as_text
from impress_ui.experiments.robustness import ROBUSTNESS
from impress_ui.experiments.runner import Log, carry_out
from impress_ui.experiments.settings import (
    AutoencoderSettings,
    ClassifierSettings,
    DetectorSettings,
    ExperimentSettings,
)
from impress_ui.experiments.style import STYLE
from impress_ui.experiments.transfer import TRANSFER
from impress_ui.experiments.whole import in_one_piece

__all__ = ["EXPERIMENTS", "as_text", "find_experiment", "run_experiment"]

_ALL: tuple[Experiment, ...] = (
    PURIFICATION,
    EDITING,
    STYLE,
    ABLATION,
    ADAPTIVE,
    TRANSFER,
    ROBUSTNESS,
    in_one_piece("detector", detector, DetectorSettings, ("vae",)),
    in_one_piece("autoencoder", autoencoder, AutoencoderSettings, ("vae",)),
    in_one_piece("classifier", classifier, ClassifierSettings, WHOLE_MODEL),
)
EXPERIMENTS = {experiment.name: experiment for experiment in _ALL}


def find_experiment(name: str) -> Experiment:
    """An experiment by name.

    Raises:
        UserError: there is none of that name.
    """
    if name not in EXPERIMENTS:
        raise UserError(f"There is no experiment {name}; choose one of {', '.join(EXPERIMENTS)}.")
    return EXPERIMENTS[name]


def run_experiment(name: str, settings: ExperimentSettings, output: Path, log: Log) -> Record | None:
    """Carry an experiment out by name, as ``runner.carry_out`` says."""
    return carry_out(find_experiment(name), settings, output, log)
