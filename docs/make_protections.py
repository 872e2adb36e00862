"""Write the table of docs/protections.md from the settings: ``PYTHONPATH=. python docs/make_protections.py``."""

from __future__ import annotations

from pathlib import Path

from impress_ui.methods.protections import PROTECTIONS
from impress_ui.settings import ProtectSettings

PAGE = Path(__file__).parent / "protections.md"
BEGIN, END = "<!-- the table begins -->\n", "<!-- the table ends -->\n"
COLUMNS = ("method", "objective", "constraint", "stepper", "unit of the budget", "source", "defaults")
# Said once above the table, or no number at all.
LEFT_OUT = {
    "robust_to",
    "draws",
    "adaptive",
    "beta",
    "unrolled_steps",
    "norm",
    "l2_radius",
    "l2_step",
    "style",
    "concept",
    "smooth_share",
    "also",
}


def defaults(method: str) -> str:
    """The values with which a method starts, those that it brings itself in bold."""
    settings, told = ProtectSettings(method=method), []
    for name in ProtectSettings.fields_of[method]:
        if name not in LEFT_OUT:
            words = f"{name} {shown(getattr(settings, name))}"
            told.append(f"**{words}**" if name in PROTECTIONS[method].defaults else words)
    return ", ".join(told)


def shown(value: object) -> str:
    """A value as a reader expects it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”" if isinstance(value, str) else f"{value:g}"


def table() -> str:
    """Every protection, a row each, in Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    for name, about in PROTECTIONS.items():
        objective = about.formula.replace("|", "\\|")
        if about.note:
            objective += f". {about.note}"
        rows.append((f"`{name}`", objective, about.constraint, about.stepper, about.unit, about.source, defaults(name)))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> None:
    """Replace the table in the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
