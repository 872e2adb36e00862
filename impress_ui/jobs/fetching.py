"""What a job needs from the hub, fetched before it has the device: others compute meanwhile, no lent GPU waits.

for step in fetched(job, ("protect", "edit"), should_stop):
    step.part, step.done, step.total      # bytes
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence

from impress_ui.methods.optimise import ShouldStop, never
from impress_ui.methods.protect import needs_model
from impress_ui.methods.purify import needs_model as purifier_needs_model
from impress_ui.models.checkpoints import Source, find_source
from impress_ui.models.fetching import Fetching, Unwanted, on_its_way
from impress_ui.settings import JobSettings

LOOK = 0.33  # seconds between two looks at where a download is
# What a job of that kind does always with the whole model, not with the autoencoder alone.
WHOLE = ("edit", "generate", "style")


def fetched(
    job: JobSettings, kinds: Sequence[str], should_stop: ShouldStop = never, *, interval: float | None = None
) -> Iterator[Fetching]:
    """Fetch what the job needs of the hub's checkpoints; yields nothing where all of it is there already.

    Args:
        kinds: what the job does: protect, purify, edit, generate, stress, explore, style, universal.
        should_stop: ends the download; the files that are whole by then stay in the cache.
        interval: seconds between two of what it yields; ``LOOK`` unless given.

    Yields:
        Where the download is, from its beginning on, also while another job's is waited for.

    Raises:
        UserError: it cannot be fetched.
    """
    sources = [find_source(name) for name in (job.run.checkpoint, *_others(job, kinds))]
    for number, source in enumerate(sources):
        if source.hub is None:
            continue
        work = _whole if number == 0 and needs_whole(job, kinds) else _autoencoder
        yield from _shown(source, functools.partial(work, source, job), should_stop, interval or LOOK)


def needs_whole(job: JobSettings, kinds: Sequence[str]) -> bool:
    """Whether a job that does this takes more of the checkpoint than its autoencoder."""
    aims = job.protect.target == "image"
    protects = any(kind in kinds for kind in ("protect", "universal", "explore"))
    purifiers = [job.purify] if "purify" in kinds or "explore" in kinds else []
    if "stress" in kinds:
        purifiers += job.stress.settings_of(job.purify).values()
    return (
        any(kind in WHOLE for kind in kinds)
        or (protects and needs_model(job.protect, target=aims))
        or any(purifier_needs_model(purifier) for purifier in purifiers)
        or ("stress" in kinds and job.stress.edits)
    )


def _others(job: JobSettings, kinds: Sequence[str]) -> tuple[str, ...]:
    """The checkpoints of other encoders that a protection is also made against."""
    return tuple(job.protect.others) if {"protect", "universal", "explore", "style"} & set(kinds) else ()


def _autoencoder(source: Source, job: JobSettings, unwanted: Callable[[], bool]) -> None:
    source.part("vae", job.run.precision, unwanted)


def _whole(source: Source, job: JobSettings, unwanted: Callable[[], bool]) -> None:
    _autoencoder(source, job, unwanted)
    if not source.autoencoder_only:  # loading says what such a one cannot do
        source.rest(job.run.precision, unwanted)


def _shown(
    source: Source, work: Callable[[Callable[[], bool]], None], should_stop: ShouldStop, interval: float
) -> Iterator[Fetching]:
    """Where the download is while a thread of its own does the work; its mistake is raised here.

    The download is wanted for as long as somebody goes through this: a visitor who leaves closes it.
    """
    failures: list[Exception] = []
    gone = threading.Event()

    def run() -> None:
        try:
            work(lambda: gone.is_set() or should_stop())
        except Unwanted:
            pass
        except Exception as error:
            failures.append(error)

    assert source.hub is not None
    thread = threading.Thread(target=run, name="fetch", daemon=True)
    thread.start()
    shown = None
    try:
        while thread.is_alive():
            thread.join(interval)
            if should_stop():  # the thread ends with the next piece that comes
                return
            now = on_its_way(source.hub.repos)
            if now is not None and now != shown:
                shown = now
                yield now
    finally:
        gone.set()
    if failures:
        raise failures[0]
