"""Mutated and hostile pictures through the loader; prints what became of them as one JSON object.

    python -m tests.reliability.fuzz --files 3000

Exits with an error at the first file that crashes, hangs, takes too much memory, or is neither loaded nor refused.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import hypothesis
from hypothesis import strategies as st

from impress_ui.errors import UserError
from impress_ui.pictures.images import MAX_PIXELS, MIN_SIDE, open_picture, read_metadata
from tests.reliability.hostile import MUTATIONS, corpus, good_pictures, mutate, written

LONGEST = 20  # seconds that one file may take on a busy machine
MEMORY = 3 << 30  # bytes that the process may address beyond what it has at the start

OPERATION = st.tuples(st.sampled_from(sorted(MUTATIONS)), st.floats(0, 1), st.integers(0, 2**16))
MUTATED = st.tuples(
    st.sampled_from(sorted(good_pictures())), st.lists(OPERATION, min_size=1, max_size=6), st.booleans()
)


def tried(path: Path) -> str:
    """'loaded' or 'refused'; whatever else happens is an error."""
    metadata = read_metadata(path)
    assert metadata is None or isinstance(metadata, dict)
    try:
        picture = open_picture(path)
    except UserError as error:
        sentence = str(error)
        assert path.name in sentence and "\n" not in sentence and str(path.parent) not in sentence, sentence
        return "refused"
    width, height = picture.image.size
    assert picture.image.mode == "RGB" and min(width, height) >= MIN_SIDE and width * height <= MAX_PIXELS
    assert not picture.image.info and len(picture.image.tobytes()) == 3 * width * height
    return "loaded"


def main() -> None:
    """Try them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=3000, help="mutated files, beside the corpus")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    limit_memory()
    faulthandler.enable()
    outcome: collections.Counter[str] = collections.Counter()
    formats: collections.Counter[str] = collections.Counter()
    slowest = ("", 0.0)
    others = [good_pictures()[name] for name in sorted(good_pictures())]
    with tempfile.TemporaryDirectory() as place:

        def attempt(path: Path) -> None:
            nonlocal slowest
            faulthandler.dump_traceback_later(LONGEST, exit=True)
            began = time.perf_counter()
            outcome[tried(path)] += 1
            slowest = max(slowest, (path.name, time.perf_counter() - began), key=lambda pair: pair[1])
            faulthandler.cancel_dump_traceback_later()

        for path in written(good_pictures() | corpus(), Path(place)).values():
            attempt(path)
        by_hand = outcome.total()

        @hypothesis.seed(arguments.seed)
        @hypothesis.settings(
            max_examples=arguments.files,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(MUTATED)
        def fuzz(mutated: tuple[str, list[tuple[str, float, int]], bool]) -> None:
            name, operations, repair = mutated
            path = Path(place) / name
            path.write_bytes(mutate(good_pictures()[name], operations, others, repair))
            formats[path.suffix[1:]] += 1
            attempt(path)

        fuzz()
    report = {
        "mutated": formats.total(), "by_hand": by_hand, **outcome, "formats": dict(sorted(formats.items())),
        "failures": 0, "slowest": slowest[0], "slowest_seconds": round(slowest[1], 3),
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip
    print(json.dumps(report))


def limit_memory() -> None:
    """A file that wants more fails with a MemoryError, which the loader does not hide."""
    status = Path("/proc/self/statm")
    if status.exists():
        now = int(status.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    sys.exit(main())
