"""What a page that strangers reach does not offer: it is locked down by where it listens, unless told otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence

from impress_ui.errors import UserError
from impress_ui.methods.purifiers import PURIFIERS
from impress_ui.models.hub_catalogue import HUB
from impress_ui.settings import EMBEDDED, JobSettings, PurifySettings
from impress_ui.settings.purify import parts_of
from impress_ui.ui.queue import LONGEST

ON_SPACES = os.environ.get("SYSTEM") == "spaces"
# Hub ids, with commas between, that a Space's page offers: its owner sets this in the Space's variables.
OFFERED = tuple(filter(None, (part.strip() for part in os.environ.get("IMPRESS_CHECKPOINTS", "").split(","))))
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Host:
    """Where the page listens, and which checkpoints its visitors may name.

    Attributes:
        public: whether others than this machine's own users reach it.
        offered: hub ids and folders, beside the embedded checkpoint.
    """

    def __init__(self, address: str) -> None:
        self.listens(address)

    def listens(self, address: str, offered: Sequence[str] = ()) -> None:
        """Say where the page is about to listen; every job from then on is checked against it."""
        self.public = ON_SPACES or address not in LOOPBACK
        self.offered = tuple(dict.fromkeys((*offered, *OFFERED)))

    def longest(self) -> float | None:
        """Seconds that a job may have the device for while others wait; None where nobody else comes."""
        return LONGEST if self.public else None

    def check(self, job: JobSettings) -> JobSettings:
        """The settings, unless they name a checkpoint or a file that is not a stranger's to choose.

        A folder could be any of the machine's, and a hub checkpoint may not fit into it.

        Raises:
            UserError: they do.
        """
        wanted = job.run.checkpoint
        allowed = {EMBEDDED, *self.offered}
        allowed |= {repo for entry in HUB.values() if allowed & set(entry.repos) for repo in entry.repos}
        if self.public and wanted not in allowed:
            listed = ", ".join([EMBEDDED, *self.offered])
            raise UserError(
                f"On this public page a checkpoint is one of its list ({listed}); run the program yourself for others."
            )
        if self.public and (_names_files(job) or _needs_files(job)):
            raise UserError(
                "On this public page no weights can be named but those that come along; run the program yourself for "
                "others."
            )
        return job


def _purifiers_of(job: JobSettings) -> list[PurifySettings]:
    """Every purifier that the settings name, those in chains too."""
    purifiers = (job.purify, *job.stress.settings_of(job.purify).values())
    return [part for purifier in purifiers for part in parts_of(purifier)]


def _needs_files(job: JobSettings) -> bool:
    """Whether any purifier does not do without a file that does not come along."""
    return any(PURIFIERS[part.method].own_file for part in _purifiers_of(job))


def _names_files(job: JobSettings) -> bool:
    """Whether any setting but the checkpoint names a file or folder of this machine."""
    parts = (job.run, job.protect, *_purifiers_of(job))
    return any(
        getattr(part, name)
        for part in parts
        for name in type(part).model_fields
        if name != "checkpoint" and part.describe(name)["local"]
    )


def compares_blind() -> bool:
    """Whether the page asks which of two pictures is better; a Space's only where its owner wants that."""
    return not ON_SPACES or os.environ.get("IMPRESS_BLIND", "").lower() in ("1", "t", "true")


def address_of(host: str | None) -> str:
    """The address that is listened on: the one given, GRADIO_SERVER_NAME's, a Space's, or this machine alone."""
    return host or os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if ON_SPACES else LOOPBACK[0])


HOST = Host(address_of(None))
