"""What an experiment's settings name, wherever it stands: in a section, in words, in the cells of an ablation."""

from __future__ import annotations

from pathlib import Path

from impress_ui.experiments.grid import AblationSettings
from impress_ui.experiments.settings import ExperimentSettings, TransferSettings, WholeSettings
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.settings import JobSettings, ProtectSettings, PurifySettings, purifier_of
from impress_ui.settings.protect import protection_of
from impress_ui.settings.purify import parts_of
from impress_ui.settings.stress import AS_SET


def jobs_of(settings: ExperimentSettings) -> list[JobSettings]:
    """The job that the sections make, or one for each cell of an ablation."""
    return [settings.job.at(cell) for cell in settings.grid] if isinstance(settings, AblationSettings) else [settings]


def purifiers_of(settings: ExperimentSettings) -> list[PurifySettings]:
    """Every purifier that the experiment runs because its settings name it, each once; chains in one piece."""
    if isinstance(settings, (AblationSettings, TransferSettings, WholeSettings)):
        named = [job.purify for job in jobs_of(settings)]
    else:
        words: tuple[str, ...] = getattr(settings, "purifiers", ())
        named = [settings.purify if text == AS_SET else purifier_of(text) for text in words]
    return list(dict.fromkeys(named))


def protections_of(settings: ExperimentSettings) -> list[ProtectSettings]:
    """Every protection that the settings name, each once."""
    words: tuple[str, ...] = getattr(settings, "protections", ())
    return list(dict.fromkeys([*(job.protect for job in jobs_of(settings)), *map(protection_of, words)]))


def names_learned(settings: ExperimentSettings) -> bool:
    """Whether the learned purifier's weights that come along decide about anything that the settings name."""
    through = [*getattr(settings, "through", ()), *(kind for p in protections_of(settings) for kind in p.robust_to)]
    parts = [part for purifier in [settings.purify, *purifiers_of(settings)] for part in parts_of(purifier)]
    return "learned" in through or any(PURIFIERS[part.method].learned(part) for part in parts)


def own_files(settings: ExperimentSettings) -> list[Path]:
    """The files of one's own, such as weights, that decide about the results of the purifiers."""
    parts = [part for purifier in purifiers_of(settings) for part in parts_of(purifier)]
    files = [Path(file).expanduser().absolute() for part in parts for file in PURIFIERS[part.method].files(part)]
    return list(dict.fromkeys(files))
