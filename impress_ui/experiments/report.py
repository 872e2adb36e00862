"""An experiment's report: one HTML file with its pictures inside, which needs nothing else to be read."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import yaml

from impress_ui.experiments.experiment import Experiment
from impress_ui.experiments.folder import Record
from impress_ui.settings import JobSettings

Files = Sequence[tuple[str, Path]]  # (title, file)
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:84rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.facts{color:#555;font-size:.9rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th{border-bottom:2px solid #888;vertical-align:bottom;white-space:normal;max-width:9rem;font-weight:600}
.text{text-align:left}
.error{color:#666}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem}
figure{margin:1rem 0}figure svg,figure img{max-width:100%;height:auto}
figcaption{color:#555;font-size:.9rem}
.failed{border-left:4px solid #c0392b;padding:.2rem 1rem;background:#fdf1ef}
summary{cursor:pointer}
pre{background:#f6f6f6;padding:.8rem;overflow-x:auto;font-size:.8rem}
code{overflow-wrap:anywhere}
"""


def write_report(path: Path, report: Record, experiment: Experiment, charts: Files, sheets: Files) -> None:
    """Write the report of an experiment as HTML.

    Args:
        report: what the runner gathered: headline facts, ``rows``, ``failed``, ``settings``, ``versions``,
            ``checkpoints``.
        charts: SVG files.
        sheets: PNG files.
    """
    name = report["experiment"]
    facts = {key: value for key, value in report.items() if not isinstance(value, (list, dict))}
    said = " · ".join(f"{escape(_words(key))} {escape(cell_of(value))}" for key, value in facts.items())
    body = [
        f"<h1>{escape(name.capitalize())}</h1>",
        f"<p>{escape(experiment.about)}</p>",
        f'<p class="facts">{said}</p>',
        _failed(report),
        "<h2>Table</h2>",
        f'<div class="wide">{_table(report["rows"], experiment)}</div>',
        '<p class="facts">± is the standard error of the mean. '
        f"The {len(report['records'])} records are in {escape(name)}.csv.</p>",
        *(["<h2>Charts</h2>"] if charts else []),
        '<div class="charts">',
        *(f"<figure>{_inline_svg(file, number, title)}</figure>" for number, (title, file) in enumerate(charts)),
        "</div>",
        *(["<h2>Pictures</h2>"] if sheets else []),
        *(
            f'<figure><img alt="{escape(title)}" src="data:image/png;base64,{_base64(file)}">'
            f"<figcaption>{escape(title)}</figcaption></figure>"
            for title, file in sheets
        ),
        "<h2>To run it again</h2>",
        f"<p><code>python -m impress_ui experiment {escape(name)} --settings {escape(name)}_settings.json "
        f"-o folder/</code>, with {escape(name)}_settings.json beside this file. What differs from "
        "the defaults:</p>",
        f"<pre>{escape(_yaml(_differing(report['settings'], experiment)))}</pre>",
        f"<details><summary>All settings</summary><pre>{escape(_yaml(report['settings']))}</pre></details>",
        "<h2>Versions</h2>",
        _pairs(report["versions"]),
        "<h2>Checkpoints</h2>",
        *(
            f"<p>{escape(checkpoint)}, SHA-256 of the weights:</p>{_pairs(files)}"
            for checkpoint, files in report["checkpoints"].items()
        ),
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(name.capitalize())}: IMPRESS</title><style>{STYLE}</style></head>"
    )
    path.write_text(f"{head}<body>{''.join(body)}</body></html>\n", encoding="utf-8")


def cell_of(value: Any) -> str:
    """A table's value in words."""
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _table(rows: Sequence[Record], experiment: Experiment) -> str:
    """The rows; a column x_se is written into the column x."""
    names = [name for name in rows[0] if not (name.endswith("_se") and name[:-3] in rows[0])]
    texts = {name for name in names if all(isinstance(row[name], str) for row in rows)}
    kinds = {name: ' class="text"' if name in texts else "" for name in names}
    head = "".join(f"<th{kinds[name]}>{escape(experiment.columns.get(name, _words(name)))}</th>" for name in names)
    lines = "".join(
        "<tr>" + "".join(f"<td{kinds[name]}>{_value(row, name)}</td>" for name in names) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _value(row: Record, name: str) -> str:
    error = row.get(f"{name}_se")
    told = "" if error is None else f' <span class="error">± {cell_of(error)}</span>'
    return escape(cell_of(row[name])) + told


def _failed(report: Record) -> str:
    if not report["failed"]:
        return ""
    items = "".join(f"<li>{escape(f['unit'])}: {escape(f['error'])}</li>" for f in report["failed"])
    return (
        f'<div class="failed"><p>{count_of_failed(report)} and are in no figure below; the same command tries them '
        f"again.</p><ul>{items}</ul></div>"
    )


def count_of_failed(report: Record) -> str:
    """How many units failed, in words."""
    count = len(report["failed"])
    return f"{count} unit{'' if count == 1 else 's'} failed"


def _differing(settings: Record, experiment: Experiment) -> Record:
    """The settings that the defaults do not have, sections and all."""
    usual = experiment.settings().model_dump(mode="json", by_alias=True)
    changed: Record = {"experiment": experiment.name}
    for name, value in settings.items():
        if isinstance(value, dict) and isinstance(usual.get(name), dict) and name in JobSettings.model_fields:
            value = {field: v for field, v in value.items() if v != usual[name].get(field)}
            changed |= {name: value} if value else {}
        elif value != usual.get(name):
            changed[name] = value
    return changed


def _yaml(data: Record) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def _pairs(values: Record) -> str:
    rows = "".join(
        f'<tr><td class="text">{escape(key)}</td><td class="text"><code>{escape(str(value))}</code></td></tr>'
        for key, value in values.items()
    )
    return f'<div class="wide"><table>{rows}</table></div>'


def _inline_svg(file: Path, number: int, title: str) -> str:
    """The drawing without its file's preamble; its ids made its own, since several stand in one page."""
    text = file.read_text(encoding="utf-8")
    svg = text[text.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    ids = re.findall(r'\bid="([^"]+)"', svg)
    for own in sorted(set(ids), key=len, reverse=True):
        svg = re.sub(rf'(id="|#){re.escape(own)}(?=["\)])', rf"\g<1>c{number}-{own}", svg)
    return svg


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")


def _words(name: str) -> str:
    return name.replace("_", " ")


def as_text(report: Record) -> str:
    """The report's rows as an aligned table under a line that says what was run; then what failed."""
    facts = {key: value for key, value in report.items() if not isinstance(value, (list, dict))}
    names = list(report["rows"][0])
    cells = [names, *([cell_of(row[name]) for name in names] for row in report["rows"])]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([", ".join(f"{key} {cell_of(value)}" for key, value in facts.items()), *lines])
