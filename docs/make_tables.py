"""Write the tables of docs/results.md from docs/tables/*.csv: ``PYTHONPATH=. python docs/make_tables.py``.

A table stands between two comments, the first of which says how it is made:

    <!-- table adaptive-purifiers.csv form purifier left % least -->
    <!-- end -->

that is: file, the column that goes down, the one that goes across, the figure, and on request "%" for shares and
"least" for one more column, the least that any purifier leaves of each photograph by that figure. Words with "=" keep
the rows of one value, or of several: ``sign=found``, ``purifier=none|jpeg_quality_40``; ``see=@protect`` those in which
two columns say the same. Several figures with commas between, and ``figures`` for what goes across, are a column each,
with standard errors in place of intervals; several columns that go down, with commas between, are one.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from impress_ui.experiments.experiment import Record
from impress_ui.experiments.left import SHARES, least_of
from impress_ui.experiments.markdown import as_number, as_percent, crossed_table, figures_table

DOCS = Path(__file__).parent
PAGE = DOCS / "results.md"
PLACE = re.compile(r"(<!-- table (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def table(words: str) -> str:
    """The table that the words of a comment ask for.

    Raises:
        ValueError: a word that means nothing.
    """
    file, down, across, figure, *more = words.split()
    records = read(DOCS / "tables" / file)
    for word in more:
        name, given, value = word.partition("=")
        if given:
            if value.startswith("@"):  # the rows in which two columns say the same
                records = [record for record in records if record[name] == record[value[1:]]]
                continue
            kept = value.replace("_", " ").split("|")
            if missing := set(kept) - {str(record[name]) for record in records}:
                raise ValueError(f"No record of {file} has the {name} {', '.join(sorted(missing))}.")
            records = [record for record in records if str(record[name]) in kept]
        elif word not in {"%", "least"}:
            raise ValueError(f"'{word}' says nothing about a table.")
    if "," in down:
        records = [{**record, down: ", ".join(str(record[name]) for name in down.split(","))} for record in records]
    if across == "figures":
        if {"%", "least"} & set(more):
            raise ValueError(f"A table of several figures has no shares and no least: {words}.")
        return figures_table(records, down, figure.split(","))
    if "least" in more:
        by = [name for name in (down, "method", "budget", "protection") if name in records[0] and name != "purifier"]
        least = least_of(records, tuple(dict.fromkeys(by)), figure if figure in SHARES else "left")
        records += [{**record, "purifier": "the least"} for record in least]
    return crossed_table(records, down, across, figure, as_percent if "%" in more else as_number)


def read(file: Path) -> list[Record]:
    """The records of a CSV, numbers as numbers and what is missing as None."""
    with file.open(newline="", encoding="utf-8") as stream:
        return [{name: _value(text) for name, text in line.items()} for line in csv.DictReader(stream)]


def _value(text: str) -> float | str | None:
    try:
        return float(text) if "." in text or "e-" in text else int(text)
    except ValueError:
        return text or None


def made(page: str) -> str:
    """A page with its tables made anew."""
    return PLACE.sub(lambda found: f"{found[1]}\n{table(found[2])}\n{found[4]}", page)


if __name__ == "__main__":
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
