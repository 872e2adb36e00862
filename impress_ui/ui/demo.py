"""The page's first sight: finished runs of an example, in every room, made by the page's own jobs and kept as files.

``write`` runs them and saves what the widgets showed last; ``fill`` makes that the widgets' first values. Pictures of
the bench are the run's own files, with their settings; those of galleries are smaller copies, to be looked at.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.processing_utils import move_files_to_cache
from PIL import Image
from pydantic import BaseModel

from impress_ui.paths import DEMO, PHOTOS
from impress_ui.pictures.files import make_folder
from impress_ui.settings.presets import EXAMPLES
from impress_ui.ui import views
from impress_ui.ui.page import Page, Update
from impress_ui.ui.record import Edit, Record
from impress_ui.ui.rooms.history.keep import shown_record
from impress_ui.ui.rooms.story.compare import first_pair

TOLD = "An example, computed when this version was made"
MORE = "bring your own picture, or press the button to compute it anew"
EXAMPLE = PHOTOS / "test" / f"{next(iter(EXAMPLES))}.jpg"
ROOMS = ("stress", "explore", "generate", "style")
KINDS = (gr.HTML, gr.Gallery)  # what a room shows of a run; zips and reports are made by runs alone
LOOKED_AT = {"quality": 74, "method": 6}  # of a gallery's copies


def fill(page: Page, folder: Path = DEMO) -> None:
    """Let every widget begin with the example; without its files the page begins empty."""
    if not (folder / "demo.json").is_file():
        return
    kept = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    page.record.value = record = _record(kept["record"], folder)
    begins: Update = {page.upload: str(EXAMPLE), page.status: views.status("Example", f"{TOLD}; {MORE}", "example")}
    begins |= {widget: value for widget, value in shown_record(page, record).items() if widget is not page.record}
    begins |= first_pair(page, record)
    widgets = page.named
    for name, value in kept["shown"].items():
        if name.endswith(".status"):
            begins[widgets[name]] = views.status("Example", TOLD, "example")
        elif isinstance(value, list):
            begins[widgets[name]] = [(str(folder / file), caption) for file, caption in value]
            widgets[name].visible = True
        else:
            begins[widgets[name]] = value
    page.rooms["explore"].grid.value = kept["grid"]
    for widget, value in begins.items():
        _begin(widget, value)


def is_example(path: str | None, record: Record) -> bool:
    """Whether an upload is the example that the page begins with, while its finished run is what stands there."""
    return bool(path) and Path(path or "").name == EXAMPLE.name and record == example_record()


def example_record(folder: Path = DEMO) -> Record | None:
    """The example's record, where its files are."""
    file = folder / "demo.json"
    return _record(json.loads(file.read_text(encoding="utf-8"))["record"], folder) if file.is_file() else None


def write(folder: Path) -> Iterator[str]:
    """Run the example in every room and keep what it showed; gives the name of each part as it begins.

    Raises:
        RuntimeError: a run did not come to its end.
    """
    from impress_ui.ui.layout import build_page
    from impress_ui.ui.rooms.edit.run import EditRun
    from impress_ui.ui.rooms.story.run import PageRun

    with gr.Blocks(analytics_enabled=False):
        page = build_page()
    values: dict[Any, Any] = {widget: getattr(widget, "value", None) for widget in page.named.values()}
    values |= {widget: widget.value for widget in page.knobs.values()}
    values |= {page.upload: str(EXAMPLE), page.record: Record()}
    target, folder = folder, folder.with_name(f"{folder.name}.new")  # the old one stays until this one is whole
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder, target.name)
    shown: Update = {}
    yield "protect, purify"
    shown |= _shown_by(PageRun(page, values, "demo", "both"), values)
    yield "edit"
    shown |= _shown_by(EditRun(page, values, "demo", page.edit_status), values)
    for name in ROOMS:
        yield name
        shown |= _shown_by(page.rooms[name].job(page, values, "demo"), values)
    grid = shown[page.rooms["explore"].grid]
    names = {widget: name for name, widget in page.named.items() if name.split(".")[0] in ROOMS}
    kept = {
        "record": _kept_record(values[page.record], folder),
        "grid": dataclasses.asdict(grid),
        "shown": {
            names[widget]: _kept(names[widget], value, folder)
            for widget, value in shown.items()
            if widget in names and isinstance(widget, KINDS)
        },
    }
    text = json.dumps(kept, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "demo.json").write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)


def _shown_by(job: Any, values: dict[Any, Any]) -> Update:
    """What a job showed last in each widget; its record goes on to the next."""
    page, last = job.page, {}
    for update in job.updates():
        last |= {widget: dict(value) if isinstance(value, dict) else value for widget, value in update.items()}
    if "failed" in last[job.status]:
        raise RuntimeError(f"The example's {job.title} did not come to its end: {last[job.status]}")
    values[page.record] = last.get(page.record, values[page.record])
    return last


def _kept(name: str, value: Any, folder: Path) -> Any:
    """Words as they are; a gallery's pictures as smaller copies."""
    value = value.get("value") if isinstance(value, Mapping) else value
    if not isinstance(value, list):
        return value
    copies = []
    for number, (file, caption) in enumerate(value):
        copy = folder / f"{name.replace('.', '-')}-{number}.webp"
        with Image.open(file) as image:
            image.convert("RGB").save(copy, **LOOKED_AT)
        copies.append((copy.name, caption))
    return copies


def _kept_record(record: Record, folder: Path) -> dict[str, Any]:
    """The record, its files copied into the folder and named without it."""

    def copy(file: str) -> str:
        return Path(shutil.copy(file, folder / Path(file).name)).name

    plain = dataclasses.asdict(record)
    plain["run"] = 0  # none of the visitor's
    del plain["scrub"]  # its previews lie where this machine keeps what is soon gone
    plain["files"] = {name: copy(file) for name, file in record.files.items()}
    sources = {file: plain["files"][name] for name, file in record.files.items()}
    plain["edits"] = {
        name: {"file": copy(edit.file), "source": sources[edit.source], "measures": edit.measures}
        for name, edit in record.edits.items()
    }
    return plain


def _record(plain: Mapping[str, Any], folder: Path) -> Record:
    def at(name: str) -> str:
        return str(folder / name)

    edits = {
        name: Edit(at(edit["file"]), at(edit["source"]), edit["measures"]) for name, edit in plain["edits"].items()
    }
    files = {name: at(file) for name, file in plain["files"].items()}
    return Record(**{**plain, "size": tuple(plain["size"]), "files": files, "edits": edits})


def _begin(widget: Component, value: Any) -> None:
    """Give a widget its first value, as its constructor would have."""
    value = widget.postprocess(value)
    value = value.model_dump() if isinstance(value, BaseModel) else value
    widget.value = move_files_to_cache(value, widget, postprocess=True, keep_in_cache=True)
