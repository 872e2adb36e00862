"""What a command prints: one JSON object, or a line a picture, its notes below it; and how the rest is told."""

from __future__ import annotations

import sys
from typing import Any

from impress_ui.cli.interruption import Stopped, interruption
from impress_ui.errors import UserError

Report = dict[str, Any]


def print_report(report: Report, as_json: bool) -> None:
    """One JSON object, or a line a picture; afterwards what failed is told as a mistake."""
    import json

    rows = report.get("results", [report])
    if loaded := sys.modules.get("impress_ui.models.autoencoder"):  # not imported for a command without a model
        report = report | ({"model_notes": told} if (told := loaded.notes()) else {})
    if interruption.asked:
        report = report | {"stopped": True, "interrupted": interruption.sentence()}
    if as_json:
        try:
            # A console of another encoding is given the escapes of JSON.
            plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            text = json.dumps(report, ensure_ascii=plain, allow_nan=False)
        except ValueError:
            raise UserError("A figure of this run is not a number, so nothing can be reported of it.") from None
        print(text)
    else:
        for row in rows:
            if "error" not in row:
                print(row["summary"])
                for note in row.get("notes", ()):
                    print(f"  {note}")
        if "accuracy" in report:
            print(report["accuracy"]["summary"])
        if left_out := report.get("left_out"):
            print(f"Left out: {', '.join(f'{name} ({why})' for name, why in left_out.items())}")
    failed = [row["error"] for row in rows if "error" in row]
    if interruption.asked:
        raise Stopped(interruption.sentence())
    if failed:
        raise UserError(f"{len(failed)} of {len(rows)} pictures were not done: {'; '.join(failed)}")


_written_over: list[str] = []  # the line of a terminal that is not ended yet


def log(text: str) -> None:
    """A line on standard error; one that is written over is ended first."""
    before = "\n" if _written_over else ""
    _written_over.clear()
    print(f"{before}{text}", file=sys.stderr, flush=True)


def write_over(text: str, ended: bool) -> None:
    """A line on a terminal in the place of the last one, unless that was ended."""
    print(f"\r{text}\x1b[K", end="\n" if ended else "", file=sys.stderr, flush=True)
    _written_over[:] = [] if ended else [text]
