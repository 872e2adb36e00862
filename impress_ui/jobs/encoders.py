"""The encoders that a protection is made against besides the run's own: ``protect.also``."""

from __future__ import annotations

from typing import Any

from impress_ui.errors import UserError
from impress_ui.models.autoencoder import Autoencoder, load_autoencoder
from impress_ui.models.checkpoints import find_source
from impress_ui.models.fingerprint import fingerprint
from impress_ui.settings import JobSettings


def load_others(job: JobSettings) -> list[Autoencoder]:
    """The autoencoders that the protection is also made against.

    Raises:
        UserError: one of them is not to be had, is the run's own, or is named twice.
    """
    names = job.protect.others
    known: set[Any] = set()
    for name in (job.run.checkpoint, *names) if names else ():
        source = find_source(name)
        where = source.place.resolve() if source.place else source.key
        if where in known:
            raise UserError(f"The checkpoint {name} is the run's own, or stands in also twice; name each once.")
        known.add(where)
    together = 1 + len(names)
    return [load_autoencoder(job.run.model_copy(update={"checkpoint": name}), together) for name in names]


def named_others(job: JobSettings) -> dict[str, Any]:
    """``{"also": ...}`` for a result's metadata: their names and SHA-256; empty where there are none."""
    told: list[dict[str, Any]] = []
    for name in job.protect.others:
        try:
            told.append({"name": name, "sha256": fingerprint(name)})
        except UserError:  # moved away since: that is no reason to lose a result
            told.append({"name": name, "sha256": {}})
    return {"also": told} if told else {}
