"""What is on its way from the hub: told while it comes, and ended once nobody wants it any more.

The hub's client draws bars of its own; ours stand in their place and draw nothing. Whoever listens is told, and whoever
looks finds in ``on_its_way`` where a checkpoint is.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 10**6


class Unwanted(Exception):
    """A download that was ended because nobody wants it; whole files stay in the hub's cache, begun ones do not."""


@dataclass(frozen=True)
class Fetching:
    """Where the download of a checkpoint's part is.

    Args:
        checkpoint: the hub id that it comes from, a mirror's maybe.
        part: one of ``PARTS``.
        done: bytes that have come.
        total: bytes of the part's files that are known of so far; 0 before any is.
    """

    checkpoint: str
    part: str
    done: int = 0
    total: int = 0

    @property
    def share(self) -> float | None:
        """What is there of the part, 0 to 1; None before its size is known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def told(self) -> str:
        """Which part, and how many bytes of how many, in words."""
        of = f"{self.part} of {self.checkpoint}"
        return f"{of}: {_size(self.done)} of {_size(self.total)} MB" if self.total else f"{of}: asking the hub"


def _size(count: int) -> str:
    """Bytes in millions of them; what is small has its decimals."""
    return f"{count / MB:.0f}" if count >= 10 * MB else f"{count / MB:.2f}"


Listener = Callable[[Fetching], None]
LISTENERS: list[Listener] = []  # told of every download of this process, from the thread that it runs in
_on_its_way: dict[str, Fetching] = {}
_one_at_a_time: dict[str, threading.RLock] = {}
_guard = threading.Lock()


def on_its_way(repos: tuple[str, ...]) -> Fetching | None:
    """Where the download from one of these repositories is; None where nothing comes from them now."""
    return next((_on_its_way[repo] for repo in repos if repo in _on_its_way), None)


@contextmanager
def alone(repo: str) -> Iterator[None]:
    """One download at a time of a repository: who comes second finds it in the cache."""
    with _guard:
        lock = _one_at_a_time.setdefault(repo, threading.RLock())
    with lock:
        yield


@contextmanager
def told(repo: str, part: str, unwanted: Callable[[], bool]) -> Iterator[type]:
    """The class of the bars for ``snapshot_download``, while a part comes from a repository.

    Args:
        unwanted: asked with every piece that comes; the download ends once it says so.

    Raises:
        Unwanted: it said so.
    """
    from tqdm.std import tqdm

    def tell(now: Fetching) -> None:
        _on_its_way[repo] = now
        for listener in LISTENERS:
            listener(now)

    class Bar(tqdm):
        """Draws nothing. The one that counts the bytes on disk is told; that of the network's is not."""

        def __init__(self, *given: Any, **options: Any) -> None:
            options.pop("name", None)  # the hub's own class knows it
            super().__init__(*given, **{**options, "file": io.StringIO(), "disable": False})

        def display(self, *_: Any, **__: Any) -> bool:
            return True

        def refresh(self, *_: Any, **__: Any) -> None:
            self._tell()

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            self._tell()
            if unwanted():
                raise Unwanted

        def _tell(self) -> None:
            # "Downloading bytes" is what came through the network, of which the client only guesses how much it is.
            if self.unit == "B" and not (self.desc or "").startswith("Downloading"):
                tell(Fetching(repo, part, int(self.n), int(self.total or 0)))

    if unwanted():
        raise Unwanted
    tell(Fetching(repo, part))
    try:
        yield Bar
    finally:
        _on_its_way.pop(repo, None)
