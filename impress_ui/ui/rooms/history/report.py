"""A run as one HTML file, with pictures, curves, tables and settings in it, as the page had them."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import impress_ui
from impress_ui.jobs.documents import compact, to_query
from impress_ui.paths import ASSETS
from impress_ui.ui.page import Page
from impress_ui.ui.rooms.history.runs import PastRun
from impress_ui.ui.theme import STYLES

MOST = 60  # pictures in one report
PAPER = ASSETS / "report.css"


def write_report(path: Path, run: PastRun, page: Page) -> Path:
    """Write the report of a run; the pictures are inside it.

    Args:
        page: the page that the run's widgets belong to.
    """
    rooms = page.rooms.values()
    telling = [page.curves, page.table, page.verdict, *(widget for room in rooms for widget in room.telling)]
    parts = [_value(run.shown, widget) for widget in telling]
    pictures = list(_pictures(run, page))
    settings = "\n".join(
        f"{section}.{name} = {value}" for section, values in compact(run.job).items() for name, value in values.items()
    )
    query = to_query(run.job)
    body = [
        f"<h1>{escape(run.title)}</h1>",
        f'<p class="told">{escape(run.told)}</p>',
        f'<p class="told">IMPRESS {escape(impress_ui.__version__)}, seed {run.job.run.seed}, checkpoint '
        f"{escape(run.job.run.checkpoint)}</p>",
        '<div class="pictures">',
        *(_figure(file, caption) for file, caption in pictures[:MOST]),
        "</div>",
        f'<p class="told">{len(pictures) - MOST} more pictures are in the zip.</p>' if len(pictures) > MOST else "",
        *(f'<div class="prose">{part}</div>' for part in parts if isinstance(part, str) and part.startswith("<")),
        "<h2>Settings that are not the defaults</h2>",
        f"<pre>{escape(settings or 'none')}</pre>",
        f"<p class='told'>The same again: add <code>?{escape(query)}</code> to the page’s address.</p>"
        if query
        else "",
    ]
    styles = "".join(file.read_text(encoding="utf-8") for file in (*STYLES, PAPER))
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(run.title)}: IMPRESS</title><style>{styles}</style></head>"
        f"<body>{''.join(body)}</body></html>\n",
        encoding="utf-8",
    )
    return path


def _pictures(run: PastRun, page: Page) -> Iterator[tuple[Path, str]]:
    """The run's pictures with their names: those of the record, or of the gallery that the run filled."""
    galleries = [_value(run.shown, widget) for room in page.rooms.values() for widget in room.galleries]
    shown = [item for gallery in galleries if isinstance(gallery, Iterable) for item in gallery]
    if shown:
        for item in shown:
            file, caption = item if isinstance(item, (tuple, list)) else (item, "")
            yield Path(file), str(caption or "")
        return
    yield from ((Path(file), name) for name, file in run.record.files.items())
    yield from ((Path(edit.file), f"edit of the {name}") for name, edit in run.record.edits.items())


def _value(shown: Mapping[int, Any], widget: Any) -> Any:
    """What a widget was last given, be it a value or an update."""
    value = shown.get(widget._id)
    return value.get("value") if isinstance(value, dict) else value


def _figure(file: Path, caption: str) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "image/png"
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    told = escape(caption)
    return f'<figure><img alt="{told}" src="data:{kind};base64,{data}"><figcaption>{told}</figcaption></figure>'
