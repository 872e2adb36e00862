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


def log(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)
