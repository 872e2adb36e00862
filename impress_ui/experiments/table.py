"""The experiments by name: the one list of them, which loads none before it is asked for.

    python -m impress_ui experiment editing --size 128 --budget 16
    python -m impress_ui experiment ablation --size 128 --vary protect.budget=4,8,16 --vary purify.trust_radius=8,24
    python -m impress_ui experiment adaptive --size 128
    python -m impress_ui experiment transfer --checkpoints folder1/ --checkpoints folder2/
    python -m impress_ui experiment robustness --settings robustness.yaml

Each reads one settings file and writes CSV, JSON, charts, contact sheets and a report (``runner.py`` says where); run
again, it goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impress_ui.errors import UserError

if TYPE_CHECKING:
    from impress_ui.experiments.experiment import Experiment
    from impress_ui.experiments.settings import ExperimentSettings

# Each is the constant of that name, in capitals and with underscores, in the module of that name.
NAMES = (
    "purification",
    "editing",
    "style",
    "ablation",
    "adaptive",
    "transfer",
    "robustness",
    "arms-race",
    "detector",
    "found",
    "whole",
    "autoencoder",
    "classifier",
)


def find_experiment(name: str) -> Experiment:
    """An experiment by name.

    Raises:
        UserError: there is none of that name.
    """
    if name not in NAMES:
        raise UserError(f"There is no experiment {name}; choose one of {', '.join(NAMES)}.")
    module = name.replace("-", "_")
    found: Experiment = getattr(import_module(f"impress_ui.experiments.{module}"), module.upper())
    return found


def run_experiment(
    name: str, settings: ExperimentSettings, output: Path, log: Callable[[str], None]
) -> dict[str, Any] | None:
    """Carry an experiment out by name, as ``runner.carry_out`` says."""
    from impress_ui.experiments.runner import carry_out

    return carry_out(find_experiment(name), settings, output, log)
