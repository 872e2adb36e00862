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

from impress_ui.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 10**6
# Jobs that fetch, or wait for another's download, at once. Fewer than the page lets run (``ui.page.DEVICE``): who needs
# nothing of the hub still gets in.
MOST_FETCHING = 16
LOOK = 0.2  # seconds between two looks at whether who waits for another's download still wants it
# What the parts are called where people read of them.
NAMES = {
    "vae": "the autoencoder",
    "unet": "the denoiser",
    "text_encoder": "the text encoder",
    "text_encoder_2": "the second text encoder",
    "tokenizer": "the tokenizer",
    "tokenizer_2": "the second tokenizer",
    "scheduler": "the noise schedule",
    "model_index.json": "the index",
}


class Unwanted(Exception):
    """A download that was ended because nobody wants it; whole files stay in the hub's cache, begun ones do not."""


@dataclass(frozen=True)
class Fetching:
    """Where the download of a checkpoint's part is.

    Args:
        checkpoint: the hub id that it comes from, a mirror's maybe.
        part: one of ``PARTS``, or the file that says which of them there are.
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
        of = f"{NAMES.get(self.part, self.part)} of {self.checkpoint}"
        return f"{of}: {_size(self.done)} of {_size(self.total)} MB" if self.total else f"{of}: asking the hub"


def _size(count: int) -> str:
    """Bytes in millions of them; what is small has its decimals."""
    return f"{count / MB:.0f}" if count >= 10 * MB else f"{count / MB:.2f}"


Listener = Callable[[Fetching], None]
LISTENERS: list[Listener] = []  # told of every download of this process, from the thread that it runs in
_on_its_way: dict[str, Fetching] = {}
_one_at_a_time: dict[str, threading.Lock] = {}
_wanting: dict[str, list[Callable[[], bool]]] = {}  # by what is fetched: of each who wants it, whether not any more
_guard = threading.Lock()


def never() -> bool:
    """Of a download that is wanted whatever happens."""
    return False


def on_its_way(repos: tuple[str, ...]) -> Fetching | None:
    """Where the download from one of these repositories is; None where nothing comes from them now."""
    return next((_on_its_way[repo] for repo in repos if repo in _on_its_way), None)


@contextmanager
def alone(what: str, unwanted: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """One download of it at a time: who comes second finds it in the cache.

    Args:
        unwanted: whether the caller wants it no more; asked while another's download is waited for, too.

    Yields:
        Whether nobody wants it any more, neither the caller nor who waits: then alone a download is to be ended.

    Raises:
        Unwanted: the caller wanted it no more before its turn came.
        UserError: too many wait for downloads already.
    """
    with _guard:
        if sum(map(len, _wanting.values())) >= MOST_FETCHING:
            raise UserError(
                f"{MOST_FETCHING} jobs are waiting for checkpoints from the hub already; try again in a few minutes."
            )
        lock = _one_at_a_time.setdefault(what, threading.Lock())
        wanting = _wanting.setdefault(what, [])
        wanting.append(unwanted)
    try:
        while not unwanted():
            if lock.acquire(timeout=LOOK):
                break
        else:
            raise Unwanted
        try:
            yield lambda: all(each() for each in tuple(wanting))
        finally:
            lock.release()
    finally:
        with _guard:
            wanting.remove(unwanted)


@contextmanager
def told(repo: str, part: str, unwanted: Callable[[], bool]) -> Iterator[type]:
    """The class of the bars for ``snapshot_download``, while a part comes from a repository.

    Args:
        unwanted: asked with every piece that comes; the download ends once it says so.

    Raises:
        Unwanted: it said so.
    """
    from huggingface_hub import constants
    from tqdm.std import tqdm

    # Xet's own downloader swallows what a bar raises, so that Stop would not end it, and tells little of how far it is.
    # The client looks this up at every file.
    constants.HF_HUB_DISABLE_XET = True

    def tell(now: Fetching) -> None:
        _on_its_way[repo] = now
        for listener in LISTENERS:
            listener(now)

    class Bar(tqdm):
        """Draws nothing. The one that counts the bytes on disk is told; that of the network's is not."""

        monitor_interval = 0  # else a thread of tqdm's, for each class, which redraws bars that stand still

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
