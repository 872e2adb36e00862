"""Tables in Markdown: a run's own, and those of docs/, both made from the figures and never typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from impress_ui.experiments.experiment import Record, grouped, interval, mean_and_error

Form = Callable[[float], str]


def as_percent(value: float) -> str:
    """A share in whole per cent."""
    return f"{100 * value:.0f} %"


def as_number(value: float) -> str:
    """Three digits after the point."""
    return f"{value:.3f}"


def table_of(rows: Sequence[Record], columns: Mapping[str, str]) -> str:
    """A run's rows, every figure with what belongs to it: 'x (x_low to x_high)', or else 'x ± x_se'.

    Args:
        columns: what a column is called, where its own name says too little.
    """
    own = [name for name in rows[0] if not stands_beside(name, rows[0])]
    lines = [[columns.get(name, name.replace("_", " ")) for name in own]]
    lines += [[_cell(row, name) for name in own] for row in rows]
    return in_markdown(lines, [isinstance(rows[0][name], str) for name in own])


def crossed_table(records: Sequence[Record], down: str, across: str, figure: str, form: Form = as_number) -> str:
    """Means of one figure over a table's records with 95 % intervals: a row each of one column, a column of another.

    Args:
        records: one for each picture and combination, a missing figure as None; or a table's rows, whose means have
            their standard errors beside them (``x_se``), which then stand in place of intervals.
        form: a figure in words.
    """
    cells = grouped(records, (down, across))
    rows, columns = (list(dict.fromkeys(record[name] for record in records)) for name in (down, across))
    lines = [[down.replace("_", " "), *map(str, columns)]]
    for row in rows:
        lines.append([str(row), *(_mean(cells.get((row, column), ()), figure, form) for column in columns)])
    return in_markdown(lines, [True, *(False for _ in columns)])


def figures_table(records: Sequence[Record], down: str, figures: Sequence[str]) -> str:
    """Means of several figures with their standard errors: a row each of one column, a column a figure.

    Args:
        records: as ``crossed_table`` has them.
    """
    cells = grouped(records, (down,))
    lines = [[name.replace("_", " ") for name in (down, *figures)]]
    for (row,), found in cells.items():
        means = [_of_row(found, figure) or mean_and_error([each[figure] for each in found]) for figure in figures]
        lines.append([str(row), *(_with_error(*each) for each in means)])
    return in_markdown(lines, [True, *(False for _ in figures)])


def in_markdown(lines: Sequence[Sequence[str]], left: Sequence[bool]) -> str:
    """A table whose first line is its head; ``left`` says which columns hold words."""
    rule = ["---" if words else "---:" for words in left]
    told = [[cell.replace("|", "\\|") for cell in line] for line in (lines[0], rule, *lines[1:])]
    return "".join(f"| {' | '.join(line)} |\n" for line in told)


def stands_beside(name: str, row: Record) -> bool:
    """Whether a column stands beside another: its error or an end of its interval."""
    stem, _, end = name.rpartition("_")
    return stem in row and end in {"se", "low", "high"}


def _cell(row: Record, name: str) -> str:
    value: Any = row[name]
    if not isinstance(value, float):
        return "–" if value is None else str(value)
    low, high, error = (row.get(f"{name}_{end}") for end in ("low", "high", "se"))
    if low is not None and high is not None:
        return f"{as_number(value)} ({as_number(low)} to {as_number(high)})"
    return _with_error(value, error)


def _with_error(mean: float | None, error: float | None, form: Form = as_number) -> str:
    if mean is None:
        return "–"
    return form(mean) if error is None else f"{form(mean)} ± {form(error)}"


def _of_row(records: Sequence[Record], figure: str) -> tuple[float | None, float | None] | None:
    """(mean, standard error) as a table's row has them; None for records."""
    if len(records) != 1 or f"{figure}_se" not in records[0]:
        return None
    return records[0][figure], records[0][f"{figure}_se"]


def _mean(records: Sequence[Record], figure: str, form: Form) -> str:
    if row := _of_row(records, figure):
        return _with_error(*row, form)
    values = [record[figure] for record in records]
    mean, _ = mean_and_error(values)
    low, high = interval(values)
    if mean is None:
        return "–"
    return form(mean) if low is None or high is None else f"{form(mean)} ({form(low)} to {form(high)})"
