"""Which parts a checkpoint of the hub has, where the catalogue does not say: its own ``model_index.json`` does."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from impress_ui.models.fetching import alone, never, told
from impress_ui.models.hub_catalogue import AUTOENCODER_ONLY, SD, HubCheckpoint

_known: dict[str, tuple[str, ...]] = {}  # of hub ids that are not in the catalogue


def parts_of(entry: HubCheckpoint) -> tuple[str, ...]:
    """The parts that a checkpoint of the hub says it has; those of the usual kind where it does not say."""
    import huggingface_hub

    files = ["model_index.json", "config.json"]

    def look(repo: str, cached: bool) -> tuple[str, ...]:
        with contextlib.suppress(Exception):  # fetching a part says what is wrong
            if cached:
                found = huggingface_hub.snapshot_download(repo, allow_patterns=files, local_files_only=True)
            else:
                with told(repo, files[0], never) as bar:
                    found = huggingface_hub.snapshot_download(repo, allow_patterns=files, tqdm_class=bar)
            if (Path(found) / files[0]).is_file():
                return tuple(json.loads((Path(found) / files[0]).read_text(encoding="utf-8")))
            if (Path(found) / files[1]).is_file():  # one model by itself
                return AUTOENCODER_ONLY
        return ()

    key = entry.repos[0]
    if key not in _known:
        # A line of its own: whoever asks for this little file does not wait for another's gigabytes.
        with alone(f"{key} {files[0]}", never):
            looks = (look(repo, cached) for cached in (True, False) for repo in entry.repos)
            if parts := next(filter(None, looks), ()):
                _known[key] = parts
    return _known.get(key, SD)
