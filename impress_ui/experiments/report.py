"""An experiment's report: one HTML file with its pictures inside, which needs nothing else to be read."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment
from markupsafe import Markup, escape

from impress_ui.experiments.experiment import Experiment
from impress_ui.experiments.folder import Record
from impress_ui.experiments.markdown import stands_beside
from impress_ui.settings import JobSettings

Files = Sequence[tuple[str, Path]]  # (title, file)
PAGE = """\
{% macro pairs(values) -%}
<div class="wide"><table>
{%- for key, value in values.items() -%}
<tr><td class="text">{{ key }}</td><td class="text"><code>{{ value }}</code></td></tr>
{%- endfor -%}
</table></div>
{%- endmacro -%}
<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{{ name.capitalize() }}: IMPRESS</title>
<style>
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
</style></head><body>
<h1>{{ name.capitalize() }}</h1>
<p>{{ about }}</p>
<p class="facts">{{ facts|join(" · ") }}</p>
{% if report.failed %}
<div class="failed"><p>{{ failed }} and are in no figure below; the same command tries them again.</p><ul>
{%- for each in report.failed %}<li>{{ each.unit }}: {{ each.error }}</li>{% endfor %}</ul></div>
{% endif %}
<h2>Table</h2>
<div class="wide"><table><thead><tr>
{%- for name, kind in columns.items() %}<th{{ kind }}>{{ labels.get(name, name|words) }}</th>{% endfor -%}
</tr></thead><tbody>
{%- for row in report.rows -%}
<tr>
{%- for name, kind in columns.items() -%}
<td{{ kind }}>{{ row[name]|cell }}{% if row.get(name ~ "_low") is not none %}
 <span class="error">({{ row[name ~ "_low"]|cell }} to {{ row[name ~ "_high"]|cell }})</span>
{%- elif row.get(name ~ "_se") is not none %}
 <span class="error">± {{ row[name ~ "_se"]|cell }}</span>{% endif %}</td>
{%- endfor -%}
</tr>
{%- endfor -%}
</tbody></table></div>
<p class="facts">± is the standard error of the mean, “(a to b)” its 95 % interval by bootstrap over the
photographs. The {{ report.records|length }} records are in {{ name }}.csv.</p>
{% if charts %}<h2>Charts</h2>{% endif %}
<div class="charts">{% for chart in charts %}<figure>{{ chart }}</figure>{% endfor %}</div>
{% if sheets %}<h2>Pictures</h2>{% endif %}
{% for title, data in sheets %}
<figure><img alt="{{ title }}" src="data:image/png;base64,{{ data }}"><figcaption>{{ title }}</figcaption></figure>
{% endfor %}
<h2>To run it again</h2>
<p><code>python -m impress_ui experiment {{ name }} --settings {{ name }}_settings.json -o folder/</code>, with
{{ name }}_settings.json beside this file. What differs from the defaults:</p>
<pre>{{ differing|yaml }}</pre>
<details><summary>All settings</summary><pre>{{ report.settings|yaml }}</pre></details>
<h2>Versions</h2>
{{ pairs(report.versions) }}
<h2>Checkpoints</h2>
{% for checkpoint, files in report.checkpoints.items() %}
<p>{{ checkpoint }}, SHA-256 of the weights:</p>{{ pairs(files) }}
{% endfor %}
</body></html>
"""


def write_report(path: Path, report: Record, experiment: Experiment, charts: Files, sheets: Files) -> None:
    """Write the report of an experiment as HTML.

    Args:
        report: what the runner gathered: headline facts, ``rows``, ``failed``, ``settings``, ``versions``,
            ``checkpoints``.
        charts: SVG files.
        sheets: PNG files.
    """
    rows = report["rows"]
    texts = {name for name in rows[0] if all(isinstance(row[name], str) for row in rows)}
    shown = [name for name in rows[0] if not stands_beside(name, rows[0])]
    page = Environment(autoescape=True, trim_blocks=True)
    page.filters |= {"words": _words, "cell": cell_of, "yaml": _yaml}
    text = page.from_string(PAGE).render(
        name=experiment.name,
        about=experiment.about,
        report=report,
        facts=[f"{_words(key)} {cell_of(value)}" for key, value in _facts(report).items()],
        failed=count_of_failed(report),
        columns={name: Markup(' class="text"' if name in texts else "") for name in shown},
        labels=experiment.columns,
        charts=[_inline_svg(file, number, title) for number, (title, file) in enumerate(charts)],
        sheets=[(title, base64.b64encode(file.read_bytes()).decode("ascii")) for title, file in sheets],
        differing=_differing(report["settings"], experiment),
    )
    path.write_text(f"{text}\n", encoding="utf-8")


def cell_of(value: Any) -> str:
    """A table's value in words."""
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


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


def _inline_svg(file: Path, number: int, title: str) -> Markup:
    """The drawing without its file's preamble; its ids made its own, since several stand in one page."""
    text = file.read_text(encoding="utf-8")
    svg = text[text.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    ids = re.findall(r'\bid="([^"]+)"', svg)
    for own in sorted(set(ids), key=len, reverse=True):
        svg = re.sub(rf'(id="|#){re.escape(own)}(?=["\)])', rf"\g<1>c{number}-{own}", svg)
    return Markup(svg)  # our own drawing, whose texts are escaped already


def _words(name: str) -> str:
    return name.replace("_", " ")


def _facts(report: Record) -> Record:
    """The headline: what the report says in a word or a figure."""
    return {key: value for key, value in report.items() if not isinstance(value, (list, dict))}


def as_text(report: Record) -> str:
    """The report's rows as an aligned table under a line that says what was run; then what failed."""
    names = list(report["rows"][0])
    cells = [names, *([cell_of(row[name]) for name in names] for row in report["rows"])]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([", ".join(f"{key} {cell_of(value)}" for key, value in _facts(report).items()), *lines])
