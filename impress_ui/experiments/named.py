"""What an experiment's settings name, wherever it stands: in a section, in words, in the cells of an ablation."""

from __future__ import annotations

from impress_ui.experiments.settings import AblationSettings, ExperimentSettings, TransferSettings, WholeSettings
from impress_ui.settings import JobSettings, PurifySettings, purifier_of
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
